package site

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
)

const (
	maxLogo   = 128 << 10 // bytes
	maxPixels = 2048      // of a side
)

// Logo is an image in the bar of every page.
type Logo struct {
	Extension     string // .svg or .png
	Content       []byte
	Width, Height int // as it is drawn, or only their ratio
}

func readLogo(file string) (*Logo, error) {
	content, err := readFile(file, maxLogo)
	if err != nil {
		return nil, err
	}
	l := &Logo{Content: content}
	if bytes.HasPrefix(content, []byte("\x89PNG\r\n")) {
		l.Extension, err = ".png", l.readPNG()
	} else {
		l.Extension, err = ".svg", l.readSVG()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

func (l *Logo) readPNG() error {
	head, err := png.DecodeConfig(bytes.NewReader(l.Content))
	if err != nil {
		return fmt.Errorf("not a PNG image: %w", err)
	}
	if head.Width > maxPixels || head.Height > maxPixels {
		return fmt.Errorf("has %d by %d pixels; at most %d a side", head.Width, head.Height, maxPixels)
	}
	if _, err := png.Decode(bytes.NewReader(l.Content)); err != nil {
		return fmt.Errorf("a damaged PNG image: %w", err)
	}
	l.Width, l.Height = head.Width, head.Height
	return nil
}

const svgNamespace = "http://www.w3.org/2000/svg"

// readSVG refuses a drawing that has in it what could run or ask for something.
// Browsers run nothing of an image, and the policy it is served with forbids it
// once more: this is so that whoever put it there is told.
func (l *Logo) readSVG() error {
	d := xml.NewDecoder(bytes.NewReader(l.Content))
	for root := true; ; {
		line, column := d.InputPos()
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && root:
			return errors.New("neither SVG nor PNG")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && root:
			return fmt.Errorf("neither SVG nor PNG: %w", err)
		case err != nil:
			return fmt.Errorf("not SVG: %w", err)
		}
		if start, ok := t.(xml.StartElement); ok && root {
			if start.Name.Space != svgNamespace || start.Name.Local != "svg" {
				return errors.New("neither SVG nor PNG")
			}
			root = false
			if err := l.measure(start); err != nil {
				return err
			}
		}
		if err := harmless(t); err != nil {
			return fmt.Errorf("line %d, column %d: %w", line, column, err)
		}
	}
}

// measure reads how large a drawing is: its width and height or, without them,
// its box.
func (l *Logo) measure(root xml.StartElement) error {
	var width, height, boxWidth, boxHeight float64
	for _, a := range root.Attr {
		var err error
		switch a.Name.Local {
		case "width":
			width = pixels(a.Value)
		case "height":
			height = pixels(a.Value)
		case "viewBox":
			boxWidth, boxHeight, err = box(a.Value)
		}
		if err != nil {
			return err
		}
	}
	if width <= 0 || height <= 0 {
		width, height = boxWidth, boxHeight
	}
	if ratio := width / height; !(ratio >= 0.01 && ratio <= 100) { // nor is it when one is not a number
		return errors.New("has neither a viewBox nor width and height, so nobody knows how large it is")
	}
	// The attributes of an image are whole numbers, and only their ratio counts.
	scale := 1000 / max(width, height)
	l.Width, l.Height = int(math.Round(width*scale)), int(math.Round(height*scale))
	return nil
}

// pixels reads a length, 0 when it is not in pixels.
func pixels(text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "px"), 64)
	if err != nil {
		return 0
	}
	return n
}

// box reads the width and height of a viewBox.
func box(text string) (width, height float64, err error) {
	var n []float64
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("its viewBox %q is not four numbers", text)
		}
		n = append(n, v)
	}
	if len(n) != 4 {
		return 0, 0, fmt.Errorf("its viewBox %q is not four numbers", text)
	}
	return n[2], n[3], nil
}

// harmless says why a part of a drawing is refused.
func harmless(t xml.Token) error {
	switch t := t.(type) {
	case xml.ProcInst:
		if t.Target != "xml" {
			return fmt.Errorf("<?%s?> is not taken", t.Target)
		}
	case xml.Directive:
		if bytes.ContainsAny(t, "[") {
			return errors.New("a document type with declarations is not taken")
		}
	case xml.CharData:
		return asksNothing("a style", string(t))
	case xml.StartElement:
		switch strings.ToLower(t.Name.Local) {
		case "script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler", "listener", "link", "meta", "base":
			return fmt.Errorf("<%s> is not taken: a logo is a drawing and nothing else", t.Name.Local)
		}
		for _, a := range t.Attr {
			if err := harmlessAttribute(a); err != nil {
				return fmt.Errorf("<%s>: %w", t.Name.Local, err)
			}
		}
	}
	return nil
}

func harmlessAttribute(a xml.Attr) error {
	name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
	switch {
	case strings.HasPrefix(name, "on"):
		return fmt.Errorf("%s is not taken: nothing in a logo runs", a.Name.Local)
	case a.Name.Space == "xmlns" || name == "xmlns":
		return nil // a name, not a place
	case name == "attributename" && strings.HasSuffix(value, "href"):
		return errors.New("an animation of href is not taken")
	case (name == "href" || name == "src") && !strings.HasPrefix(value, "#") && !isPicture(value):
		return fmt.Errorf("%s leads out of the file", a.Name.Local)
	}
	return asksNothing(a.Name.Local, value)
}

// isPicture reports whether a data URL holds an image of pixels.
func isPicture(value string) bool {
	for _, kind := range []string{"png", "jpeg", "gif", "webp"} {
		if strings.HasPrefix(value, "data:image/"+kind+";base64,") {
			return true
		}
	}
	return false
}

// asksNothing refuses a style that would load something.
func asksNothing(what, style string) error {
	style = strings.ToLower(style)
	if strings.Contains(style, "@import") {
		return fmt.Errorf("%s has an @import", what)
	}
	for rest := style; ; {
		_, behind, found := strings.Cut(rest, "url(")
		if !found {
			return nil
		}
		rest = behind
		if to := strings.TrimLeft(behind, " \t\n'\""); !strings.HasPrefix(to, "#") {
			return fmt.Errorf("%s asks for another file: url(%.20s", what, to)
		}
	}
}
