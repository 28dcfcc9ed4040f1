package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// readReport reads a JSON report of this schema.
func readReport(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the report: %w", err)
	}
	defer f.Close()
	var r Report
	if err := json.NewDecoder(io.LimitReader(f, maxReportBytes)).Decode(&r); err != nil {
		return nil, fmt.Errorf("the report %s is not JSON as --json writes it: %w", path, err)
	}
	if r.Schema == 0 || r.Times == nil {
		return nil, fmt.Errorf("the report %s was not written by --json", path)
	}
	if r.Schema > reportSchema {
		return nil, fmt.Errorf("the report %s has schema %d, this program knows them up to %d", path, r.Schema, reportSchema)
	}
	return &r, nil
}

// htmlCommand makes the page of an earlier run.
func htmlCommand() *cobra.Command {
	return &cobra.Command{
		Use: "html report.json page.html", Short: "Write the page of an earlier run's JSON report",
		Args: exactly(2, "a JSON report and the page to write"), SilenceUsage: true, SilenceErrors: true,
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := readReport(args[0])
			if err != nil {
				return usageError{err}
			}
			f, err := os.Create(args[1])
			if err != nil {
				return usageError{err}
			}
			defer f.Close()
			if err := r.writeHTML(f); err != nil {
				return err
			}
			return f.Close()
		},
	}
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("give %s", what)}
		}
		return nil
	}
}
