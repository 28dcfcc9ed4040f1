package api

import (
	_ "embed"
	"slices"
)

// openAPI is what the API promises, served at /v1/openapi.yaml. Tests hold every request and answer against it.
//
//go:embed openapi.yaml
var openAPI []byte

// Contract returns a copy of openapi.yaml.
func Contract() []byte { return slices.Clone(openAPI) }
