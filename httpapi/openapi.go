package httpapi

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

//go:embed openapi.json
var openAPIDocument []byte

// openAPI answers GET /api/v1/openapi.json.
func (s *Server) openAPI(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	s.send(c, http.StatusOK, typeJSON, openAPIDocument)
	return nil
}
