package postgres

import (
	"embed"
	"strings"
)

// statementFiles name the default schema; statementsOf puts the store's in.
//
//go:embed sql/*.sql
var statementFiles embed.FS

type statements struct {
	append, appendOne, findEvents                       string
	readStream, readAll                                 string
	streamInfo                                          string
	checkpointFind, checkpointInsert, checkpointAdvance string
	snapshotSave, snapshotLoad, snapshotDelete          string
	migrated                                            string
}

func statementsOf(schema string) statements {
	text := func(name string) string {
		file, err := statementFiles.ReadFile("sql/" + name + ".sql")
		if err != nil {
			// Not reached: the names below are those of embedded files.
			return "-- no statement " + name
		}
		var lines []string
		for line := range strings.Lines(string(file)) {
			if !strings.HasPrefix(line, "--") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return strings.ReplaceAll(strings.TrimSuffix(strings.Join(lines, " "), ";"), DefaultSchema+".", schema+".")
	}
	return statements{
		append:            text("append"),
		appendOne:         text("append_one"),
		findEvents:        text("find_events"),
		readStream:        text("read_stream"),
		readAll:           text("read_all"),
		streamInfo:        text("stream_info"),
		checkpointFind:    text("checkpoint_find"),
		checkpointInsert:  text("checkpoint_insert"),
		checkpointAdvance: text("checkpoint_advance"),
		snapshotSave:      text("snapshot_save"),
		snapshotLoad:      text("snapshot_load"),
		snapshotDelete:    text("snapshot_delete"),
		migrated:          text("migrated"),
	}
}
