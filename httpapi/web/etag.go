package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// NotModified names a version of the answer, and answers 304 when the client has that one
// already (RFC 9110 section 13.1.2). It reports whether it did. The version is a weak one:
// packed or not, the answer is the same.
func (x *Exchange) NotModified(version string) bool {
	tag := `W/"` + version + `"`
	x.Header().Set("ETag", tag)
	if !hasTag(x.Request.Header.Get("If-None-Match"), tag) {
		return false
	}
	x.gin.Writer.WriteHeader(http.StatusNotModified)
	x.gin.Writer.WriteHeaderNow()
	return true
}

// hasTag reports whether an If-None-Match header lists a tag, by weak comparison.
func hasTag(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	opaque := strings.TrimPrefix(tag, "W/")
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == opaque {
			return true
		}
	}
	return false
}

// unmodified is NotModified for a whole answer, which is its own version. What was asked
// with another method than GET or HEAD, or went wrong, has none.
func (x *Exchange) unmodified(status int, body []byte) bool {
	m := x.Request.Method
	if status != http.StatusOK || m != http.MethodGet && m != http.MethodHead {
		return false
	}
	const octets = 12
	sum := sha256.Sum256(body)
	return x.NotModified(base64.RawURLEncoding.EncodeToString(sum[:octets]))
}
