package v1

import (
	"context"
	"fmt"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
)

// exportParams are the parameters of an export.
func exportParams() []web.Known {
	return ask.QuestionParams(web.One("format", "between")...)
}

// export answers GET /api/v1/export: the whole answer as a file, in the form that
// a parameter says. With a span it is of changes, else of routes.
func (a *API) export(x *web.Exchange) error {
	list, err := x.Params(exportParams())
	if err != nil {
		return err
	}
	reader, err := a.desk.Reader(x.Audience())
	if err != nil {
		return fmt.Errorf("find the reader: %w", err)
	}
	req, err := reader.Request(list, noQuery)
	if err != nil {
		return err
	}
	if err := req.PeersExist(); err != nil {
		return err
	}
	name := "routes"
	if !req.Query.Between.IsZero() {
		name = "changes"
	}
	format, _ := list.Get("format")
	form := map[string]string{"": web.TypeMRT, "mrt": web.TypeMRT, "ndjson": web.TypeNDJSON, "csv": web.TypeCSV}[format]
	q := &asked{Exchange: x, reader: reader, list: list, form: form}
	switch {
	case form == "":
		return web.Problemf(web.CodeInvalidParameter, "format %q is not mrt, ndjson or csv.", web.Clip(format))
	case form == web.TypeMRT:
		return exportMRT(q, &req, name+".mrt")
	case name == "changes":
		return streamChanges(q, &ask.ChangesRequest{Request: req, Oldest: true})
	}
	return a.stream(q, &RoutesRequest{Request: req, fields: allFields})
}

func exportMRT(q *asked, req *ask.Request, file string) error {
	if !q.reader.ExportsMRT() {
		return web.Problemf(web.CodeNoExport, "This server does not write MRT; format=ndjson and format=csv are there.")
	}
	leave, err := q.reader.EnterStream(q.Context(), !req.Scene.Live() || !req.Query.Between.IsZero())
	if err != nil {
		return err
	}
	defer leave()
	w := q.Stream(web.TypeMRT)
	w.File = file
	return w.Pour(func(ctx context.Context) error { return req.Export(ctx, w) })
}
