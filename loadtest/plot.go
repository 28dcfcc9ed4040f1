package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size of a curve's drawing; the page scales it.
const (
	plotWidth  = 520
	plotHeight = 190
	markHeight = 12   // of a bound's words
	markWider  = 1.25 // than gonum's font is what a browser may have for it
)

// tint is a colour by its role. The page's style sheet says what it is in the light, in the dark and on paper: the
// drawing carries stand-ins, which svg exchanges for the names.
type tint uint8

const (
	tintInk tint = iota + 1 // not 0: black is what an SVG leaves out
	tintGrid
	tintDim
	tintShade
	tintBad
	tintA
	tintB
	tintC
	tintCard
)

var tintNames = map[tint]string{
	tintInk: "ink", tintGrid: "grid", tintDim: "dim", tintShade: "shade", tintBad: "bad", tintA: "a", tintB: "b", tintC: "c", tintCard: "card",
}

func (t tint) solid() color.Color { return color.NRGBA{R: 0xfe, G: 0x01, B: uint8(t), A: 0xff} }

// faint is the tint with an opacity, in steps of 4 %. It is part of the stand-in: gonum would mix it in.
func (t tint) faint(opacity float64) color.Color {
	return color.NRGBA{R: 0xfe, G: 0x01 + uint8(math.Round(opacity*25)), B: uint8(t), A: 0xff}
}

// curve is one line or area; NaN is a gap.
type curve struct {
	name   string
	tint   tint
	values []float64
	floor  []float64 // area between it and values instead of a line
	width  float64   // of the line, 0 none
	fill   float64   // opacity of the area
	area   bool      // floor is 0
}

// mark is a bound drawn across.
type mark struct {
	value float64
	text  string
}

// chart is one drawing of the page: curves over the time of the run, or over what ticks and labels say.
type chart struct {
	title, note string
	t           []float64   // s
	ticks       []plot.Tick // nil: round times
	labels      []string    // of the points under the pointer, nil: their times
	curves      []curve
	marks       []mark
	show        func(float64) string
	least       float64 // the top is no lower
	top         float64 // fixed, 0: by the data
	bottom      float64
	from, to    float64   // of the measured window, s: the rest is shaded
	stages      []float64 // where one begins, but the first
	names       []string  // of all stages
	named       bool      // the names are drawn
	end         float64
}

// ceiling is the top of the drawing: what the window needs, so that a spike of the warm-up does not press it flat.
func (c *chart) ceiling() float64 {
	if c.top > 0 {
		return c.top
	}
	top := c.least
	for _, curve := range c.curves {
		for i, v := range curve.values {
			if !math.IsNaN(v) && (c.t[i] > c.from || c.from == 0 || c.onlyBefore()) {
				top = max(top, v*1.12)
			}
		}
	}
	for _, m := range c.marks {
		if m.value < 3*top { // else it is far away and said in words
			top = max(top, m.value*1.12)
		}
	}
	return top
}

// onlyBefore tells whether nothing happened within the window, as with joins.
func (c *chart) onlyBefore() bool {
	for _, curve := range c.curves {
		for i, v := range curve.values {
			if !math.IsNaN(v) && v != 0 && c.t[i] > c.from {
				return false
			}
		}
	}
	return true
}

// svg draws the chart as an SVG element for a page, and where in it the curves lie: left and right, in its own units.
func (c *chart) svg() (text string, left, right float64) {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	top := c.ceiling()
	if !(top > c.bottom) {
		top = c.bottom + 1
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, max(c.end, 1), c.bottom, top
	p.X.Padding, p.Y.Padding = 6, 8
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Tick.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Label.Font.Size = 10
		axis.Tick.Label.Font.Variant = "Sans"
		axis.Tick.Label.Color = tintDim.solid()
	}
	if p.X.Tick.Marker = plot.ConstantTicks(c.ticks); c.ticks == nil {
		p.X.Tick.Marker = plot.ConstantTicks(timeTicks(p.X.Max))
	}
	ticks := valueTicks(c.bottom, top, c.show)
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Add(&backdrop{chart: c, ticks: ticks})
	for i := range c.curves {
		p.Add(&stroke{&c.curves[i], c.t})
	}
	p.Add(&bounds{c.marks})

	canvas := vgsvg.New(plotWidth, plotHeight)
	whole := draw.New(canvas)
	whole = draw.Crop(whole, 0, -12, 2, -6)
	p.Draw(whole)
	inner := p.DataCanvas(whole)
	var b bytes.Buffer
	canvas.WriteTo(&b) // a buffer takes everything
	return inline(b.String(), c.title), inner.Min.X.Points(), inner.Max.X.Points()
}

var (
	standIn    = regexp.MustCompile(`(fill|stroke):#FE([0-9A-F]{2})([0-9A-F]{2})`)
	fontStyle  = regexp.MustCompile(`font-(family|variant|weight|style):[^;"]*;?`)
	svgHead    = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	svgComment = regexp.MustCompile(`<!--.*?-->`)
)

// inline makes a page's element of an SVG document.
func inline(document, title string) string {
	head := fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, plotWidth, plotHeight, htmlEscape(title))
	s := svgHead.ReplaceAllLiteralString(document, head)
	s = svgComment.ReplaceAllString(s, "")
	s = fontStyle.ReplaceAllString(s, "")
	return standIn.ReplaceAllStringFunc(s, func(found string) string {
		part := standIn.FindStringSubmatch(found)
		opacity, _ := strconv.ParseUint(part[2], 16, 8)
		name, _ := strconv.ParseUint(part[3], 16, 8)
		style := fmt.Sprintf("%s:var(--%s)", part[1], tintNames[tint(name)])
		if opacity > 1 {
			style += fmt.Sprintf(";%s-opacity:%.2f", part[1], float64(opacity-1)/25)
		}
		return style
	})
}

// backdrop is what lies behind the curves: the time that was not measured, stages, lines across.
type backdrop struct {
	chart *chart
	ticks []plot.Tick
}

func (b *backdrop) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	shade := func(from, to float64) {
		if to > from {
			c.FillPolygon(tintShade.solid(), []vg.Point{{X: x(from), Y: c.Min.Y}, {X: x(to), Y: c.Min.Y}, {X: x(to), Y: c.Max.Y}, {X: x(from), Y: c.Max.Y}})
		}
	}
	shade(0, min(b.chart.from, p.X.Max))
	shade(max(b.chart.to, 0), p.X.Max)
	for _, t := range b.ticks {
		c.StrokeLine2(draw.LineStyle{Color: tintGrid.solid(), Width: 0.75}, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
	}
	for _, at := range b.chart.stages {
		if at > 0 && at < p.X.Max {
			c.StrokeLine2(draw.LineStyle{Color: tintDim.faint(0.55), Width: 0.6, Dashes: []vg.Length{1.5, 3}}, x(at), c.Min.Y, x(at), c.Max.Y)
		}
	}
	if b.chart.named {
		b.writeNames(c, p)
	}
}

// writeNames puts the stages' names at the top, where there is room for them.
func (b *backdrop) writeNames(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	begins := append([]float64{0}, b.chart.stages...)
	for i, name := range b.chart.names {
		if i >= len(begins) || begins[i] >= p.X.Max {
			return
		}
		end := p.X.Max
		if i+1 < len(begins) {
			end = min(end, begins[i+1])
		}
		if left, right := x(begins[i]), x(end); style.Width(name) < right-left-6 {
			c.FillText(style, vg.Point{X: (left + right) / 2, Y: c.Max.Y - 2}, name)
		}
	}
}

// stroke draws one curve, each run between gaps by itself.
type stroke struct {
	*curve
	t []float64
}

func (s *stroke) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i := 0; i < len(s.values); {
		if math.IsNaN(s.values[i]) {
			i++
			continue
		}
		j := i
		var line, below []vg.Point
		for ; j < len(s.values) && !math.IsNaN(s.values[j]); j++ {
			line = append(line, vg.Point{X: x(s.t[j]), Y: y(s.values[j])})
			low := p.Y.Min
			if s.floor != nil {
				low = s.floor[j]
			}
			below = append(below, vg.Point{X: x(s.t[j]), Y: y(low)})
		}
		i = j
		if s.fill > 0 && (s.area || s.floor != nil) {
			slices.Reverse(below)
			c.FillPolygon(s.tint.faint(s.fill), c.ClipPolygonXY(append(slices.Clone(line), below...)))
		}
		if s.width > 0 {
			style := draw.LineStyle{Color: s.tint.solid(), Width: vg.Length(s.width)}
			if len(line) == 1 { // a dot
				line = append(line, vg.Point{X: line[0].X + 1.5, Y: line[0].Y})
			}
			c.StrokeLines(style, c.ClipLinesXY(line)...)
		}
	}
}

// bounds are the thresholds, dashed, with their words at the right, on a piece of the card that keeps them readable
// before curves. Words that would lie on others' move to the left of them.
type bounds struct{ marks []mark }

func (b *bounds) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	var taken []vg.Rectangle
	for _, m := range b.marks {
		if m.value > p.Y.Max || m.value < p.Y.Min {
			continue
		}
		at := y(m.value)
		c.StrokeLine2(draw.LineStyle{Color: tintBad.solid(), Width: 1, Dashes: []vg.Length{4, 3}}, c.Min.X, at, c.Max.X, at)
		style := p.Y.Tick.Label
		style.Color, style.XAlign, style.YAlign = tintBad.solid(), draw.XRight, draw.YBottom
		low := at + 2
		if low+markHeight > c.Max.Y {
			low = at - 2 - markHeight
		}
		right := c.Max.X - 2
		box := func() vg.Rectangle {
			return vg.Rectangle{Min: vg.Point{X: right - style.Width(m.text)*markWider, Y: low}, Max: vg.Point{X: right + 2, Y: low + markHeight}}
		}
		for _, t := range taken {
			if o := box(); o.Min.Y < t.Max.Y && t.Min.Y < o.Max.Y {
				right = min(right, t.Min.X-4)
			}
		}
		o := box()
		taken = append(taken, o)
		c.FillPolygon(tintCard.faint(0.8), []vg.Point{o.Min, {X: o.Max.X, Y: o.Min.Y}, o.Max, {X: o.Min.X, Y: o.Max.Y}})
		c.FillText(style, vg.Point{X: right, Y: low + 1}, m.text)
	}
}

// valueTicks are four or five round values.
func valueTicks(low, high float64, show func(float64) string) (list []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, f := range []float64{1, 2, 2.5, 5, 10} {
		if (high-low)/(step*f) <= 5 {
			step *= f
			break
		}
	}
	for v := math.Ceil(low/step) * step; v <= high+step*1e-6; v += step {
		list = append(list, plot.Tick{Value: v, Label: show(v)})
	}
	return list
}

// timeTicks are round seconds, minutes or hours.
func timeTicks(end float64) (list []plot.Tick) {
	steps := []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if end/s <= 9 {
			step = s
			break
		}
	}
	for t := 0.0; t <= end; t += step {
		list = append(list, plot.Tick{Value: t, Label: clockText(t)})
	}
	return list
}

// clockText shows seconds: 45 s, 1:30, 2:00:00.
func clockText(t float64) string {
	s := int(math.Round(t))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// shortMS shows a time on an axis.
func shortMS(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms < 0.9995:
		return trimZeros(fmt.Sprintf("%.1f", ms*1e3)) + " µs"
	case ms < 999.5:
		return trimZeros(fmt.Sprintf("%.1f", ms)) + " ms"
	}
	return trimZeros(fmt.Sprintf("%.2f", ms/1e3)) + " s"
}

func shortNumber(v float64) string {
	switch {
	case v >= 1e6:
		return trimZeros(fmt.Sprintf("%.2f", v/1e6)) + "M"
	case v >= 1e4:
		return trimZeros(fmt.Sprintf("%.1f", v/1e3)) + "k"
	case v == math.Trunc(v):
		return number(v)
	}
	return trimZeros(fmt.Sprintf("%.2f", v))
}

func shortBytes(v float64) string {
	switch {
	case v >= 1e6:
		return trimZeros(fmt.Sprintf("%.1f", v/1e6)) + " MB"
	case v >= 1e3:
		return trimZeros(fmt.Sprintf("%.1f", v/1e3)) + " kB"
	}
	return trimZeros(fmt.Sprintf("%.0f", v)) + " B"
}

func shortPercent(v float64) string { return trimZeros(fmt.Sprintf("%.2f", v*100)) + " %" }

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
