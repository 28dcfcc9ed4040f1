package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// maxConfigBytes bounds a configuration file.
const maxConfigBytes = 1 << 20

// notInFile are flags that a file cannot hold.
var notInFile = []string{"config", "help", "version", "json"}

// fromFile gives every flag that neither the command line nor the environment has set its value in a YAML file, whose keys
// are the names of the flags. It returns the flags it has set.
func fromFile(name string, flags *pflag.FlagSet, set map[string]bool) (inFile map[string]bool, err error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	if len(text) > maxConfigBytes {
		return nil, fmt.Errorf("--config %s: more than %d bytes", name, maxConfigBytes)
	}
	return fromText(name, text, flags, set)
}

// fromText is fromFile for a file that has been read.
func fromText(name string, text []byte, flags *pflag.FlagSet, set map[string]bool) (inFile map[string]bool, err error) {
	inFile = map[string]bool{}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return inFile, nil
	} else if err != nil {
		return nil, fmt.Errorf("--config %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("--config %s: want lines of <flag>: <value>", name)
	}
	var faults []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if err := fromLine(key.Value, value, flags, set, inFile); err != nil {
			faults = append(faults, fmt.Errorf("--config %s, line %d: %w", name, key.Line, err))
		}
	}
	return inFile, errors.Join(faults...)
}

// fromLine takes one key of a configuration file.
func fromLine(key string, value *yaml.Node, flags *pflag.FlagSet, set, inFile map[string]bool) error {
	f := flags.Lookup(key)
	if f == nil || slices.Contains(notInFile, key) {
		return fmt.Errorf("unknown key %q", key)
	}
	if inFile[key] {
		return fmt.Errorf("%s is there twice", key)
	}
	var values []string
	switch list, many := f.Value.(pflag.SliceValue); {
	case value.Kind == yaml.ScalarNode:
		values = []string{value.Value}
	case many && value.Kind == yaml.SequenceNode:
		for _, v := range value.Content {
			values = append(values, v.Value)
		}
		if !f.Changed && !set[key] {
			inFile[key] = true
			return list.Replace(values)
		}
		return nil
	default:
		return fmt.Errorf("%s: want one value", key)
	}
	if f.Changed || set[key] {
		return nil // it is known, and something else wins
	}
	if err := f.Value.Set(values[0]); err != nil {
		return fmt.Errorf("%s: %s", key, badValue(f, values[0], err))
	}
	inFile[key] = true
	return nil
}

// secretVariables are the secrets, which no flag and no file of --config may hold.
var secretVariables = []string{"SKIRMISH_ADMIN_KEY", "SKIRMISH_TICKET_KEY", "SKIRMISH_WEBHOOK_SECRETS"}

// configCommand shows and checks the configuration that serve would have.
func (l commandLine) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show or check the configuration that serve would have", Args: noArguments, RunE: needCommand}
	var print serveFlags
	var asJSON bool
	show := &cobra.Command{
		Use: "print", Short: "Print every value and where it comes from", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := print.config(cmd.Flags())
			type line struct {
				Name   string `json:"name"`
				Value  string `json:"value"`
				Source string `json:"source"`
			}
			var lines []line
			cmd.Flags().VisitAll(func(f *pflag.Flag) {
				if source, ok := print.sources[f.Name]; ok && !slices.Contains(notInFile, f.Name) {
					lines = append(lines, line{f.Name, f.Value.String(), source})
				}
			})
			for _, name := range secretVariables {
				switch {
				case os.Getenv(name) == "":
					lines = append(lines, line{name, "", "default"})
				default:
					lines = append(lines, line{name, "(secret)", "environment " + name})
				}
			}
			if asJSON {
				if writeErr := writeJSON(cmd.OutOrStdout(), lines); writeErr != nil {
					return writeErr
				}
			} else {
				rows := [][]string{{"NAME", "VALUE", "SOURCE"}}
				for _, l := range lines {
					rows = append(rows, []string{l.Name, l.Value, l.Source})
				}
				writeTable(cmd.OutOrStdout(), rows)
			}
			if err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	print.register(show.Flags())
	show.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	var check serveFlags
	var checkJSON bool
	test := &cobra.Command{
		Use: "check", Short: "Tell every fault of the configuration; exit 2 if there is one", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := check.config(cmd.Flags())
			switch {
			case checkJSON:
				faults := []string{}
				if err != nil {
					faults = strings.Split(err.Error(), "\n")
				}
				if err := writeJSON(cmd.OutOrStdout(), map[string]any{"ok": err == nil, "faults": faults}); err != nil {
					return err
				}
			case err == nil:
				fmt.Fprintln(cmd.OutOrStdout(), "the configuration is in order")
			}
			if err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	check.register(test.Flags())
	test.Flags().BoolVar(&checkJSON, "json", false, "as JSON")
	cmd.AddCommand(show, test)
	return cmd
}

// needCommand is what a command that only holds others does.
func needCommand(cmd *cobra.Command, _ []string) error {
	return usageError{fmt.Errorf("%s needs a command: see %s --help", cmd.Name(), cmd.CommandPath())}
}
