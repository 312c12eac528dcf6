package httpapi

import (
	"context"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
)

// typeMRT is the media type of MRT (RFC 6396), which has none of its own.
const typeMRT = "application/octet-stream"

// exportParams are the parameters of an export.
func exportParams() []known {
	return sceneParams(known{"format", false}, known{"q", false}, known{"between", false}, known{"peer", true}, known{"family", true})
}

// export answers GET /api/v1/export: the whole answer as a file. With a span it
// is of changes, else of routes.
func (s *Server) export(c *gin.Context) error {
	list, err := readParams(c.Request.URL.RawQuery, exportParams())
	if err != nil {
		return err
	}
	req, err := s.readSearch(list, query.Query{})
	if err != nil {
		return err
	}
	if err := s.peersExist(req); err != nil {
		return err
	}
	name := "routes"
	if !req.query.Between.IsZero() {
		name = "changes"
	}
	format, _ := get(list, "format")
	mediaType := map[string]string{"": typeMRT, "mrt": typeMRT, "ndjson": typeNDJSON, "csv": typeCSV}[format]
	switch {
	case mediaType == "":
		return problemf(codeInvalidParameter, "format %q is not mrt, ndjson or csv.", clip(format))
	case mediaType == typeMRT:
		return s.exportMRT(c, req, name+".mrt")
	case name == "changes":
		return s.streamChanges(c, changesRequest{request: req, oldest: true}, mediaType)
	}
	return s.stream(c, req, mediaType)
}

func (s *Server) exportMRT(c *gin.Context, req request, file string) error {
	if s.deps.Export == nil {
		return problemf(codeNoExport, "This server does not write MRT; format=ndjson and format=csv are there.")
	}
	leave, err := s.enterStreams(!req.scene.live() || !req.query.Between.IsZero())
	if err != nil {
		return err
	}
	defer leave()
	w := newStreamWriter(s, c, typeMRT)
	w.file = file
	err = w.pour(func(ctx context.Context) error { return s.deps.Export(ctx, mrtWriter{w}, req.from, req.query) })
	if err != nil {
		return s.refused("export", req.query, err)
	}
	return nil
}

// mrtWriter is a stream as an io.Writer: the header goes out with the first
// octets, so that what fails before is told as a problem.
type mrtWriter struct{ *streamWriter }

// Write writes octets of the file.
func (w mrtWriter) Write(b []byte) (int, error) {
	w.begin()
	if err := w.send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}
