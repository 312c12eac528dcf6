package web

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// violationPath is where browsers report what the policy of a page kept them
// from. The policy names it with report-uri: browsers that know report-to still
// know the older word, and send at once what they would keep for a minute.
const violationPath = "/policy-violations"

// Anyone can send reports. What they cost is bounded: a small body, a counter
// with few labels, a line in the log every ten seconds.
const (
	maxViolationBytes = 8 << 10
	maxViolationText  = 200
	typeViolation     = "application/csp-report"
)

func newViolationLog() *rate.Limiter { return rate.NewLimiter(rate.Every(10*time.Second), 5) }

// violationReport is what a browser sends (CSP 3, 5.3).
type violationReport struct {
	Report struct {
		Directive string `json:"effective-directive"`
		Violated  string `json:"violated-directive"` // of older browsers
		Blocked   string `json:"blocked-uri"`
		Document  string `json:"document-uri"`
		Source    string `json:"source-file"`
		Line      int    `json:"line-number"`
	} `json:"csp-report"`
}

// violation answers POST to [violationPath]: it counts and logs the report.
func (e *Edge) violation(x *Exchange) error {
	mediaType, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil || mediaType != typeViolation {
		return Problemf(CodeMediaType, "The body is %s, as browsers send it.", typeViolation)
	}
	body, err := io.ReadAll(io.LimitReader(x.Request.Body, maxViolationBytes+1))
	switch {
	case err != nil:
		return Problemf(CodeBadRequest, "The body broke off.")
	case len(body) > maxViolationBytes:
		return Problemf(CodeTooLarge, "A body has at most %d bytes.", maxViolationBytes)
	}
	var r violationReport
	if err := json.Unmarshal(body, &r); err != nil {
		return Problemf(CodeBadRequest, "The body is no report.")
	}
	if r.Report.Directive == "" {
		r.Report.Directive, _, _ = strings.Cut(r.Report.Violated, " ")
	}
	e.metrics.violations.WithLabelValues(knownDirective(r.Report.Directive)).Inc()
	if e.violationLog.AllowN(e.now(), 1) {
		e.log.WarnContext(x.Request.Context(), "a browser reports that the policy kept a page from something",
			"directive", reported(r.Report.Directive), "blocked", withoutQuery(r.Report.Blocked),
			"page", withoutQuery(r.Report.Document), "source", withoutQuery(r.Report.Source), "line", r.Report.Line)
	}
	x.gin.Writer.WriteHeader(http.StatusNoContent)
	return nil
}

// knownDirective returns a directive of the policy, "other" for what is none, so
// that a counter has few labels.
func knownDirective(name string) string {
	known := []string{
		"script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr", "img-src", "connect-src",
		"form-action", "base-uri", "frame-ancestors", "default-src", "font-src", "frame-src", "object-src", "media-src", "worker-src", "manifest-src",
	}
	if slices.Contains(known, name) {
		return name
	}
	return "other"
}

// reported makes text of a report fit for the log.
func reported(text string) string {
	if text = Printable(text); len(text) > maxViolationText {
		text = strings.ToValidUTF8(text[:maxViolationText], "") + "…"
	}
	return text
}

// withoutQuery leaves out of a URL what a reader asked.
func withoutQuery(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		text = u.Scheme + "://" + u.Host + u.Path
	}
	return reported(text)
}
