package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

const suffix = ".jsonl"

// log is a file to which whole lines are appended. What write has returned for
// survives the process, however it ends; of the machine's end it promises nothing.
type log struct {
	mu   sync.Mutex
	file *os.File
}

func create(dir, name string) (*log, error) {
	file, err := os.OpenFile(filepath.Join(dir, name+suffix), os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &log{file: file}, nil
}

func (l *log) write(r record) error {
	if r.Time == 0 {
		r.Time = clock()
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.file.Write(append(line, '\n'))
	return err
}

func (l *log) close() error { return l.file.Close() }

// readLog calls do with each record of a log. A last line without its end is what
// a killed process was about to write: it did not go on, so nothing is lost.
func readLog(path string, do func(record)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewReaderSize(file, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var r record
		if err := json.Unmarshal(bytes.TrimSpace(line), &r); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		do(r)
	}
}

// Fault writes down in dir that nothing could work from one [Now] to another: a
// server was away, a network was cut. name is a new one for each call. What waited
// in that time, or in the time after it that its results took, is no stall.
func Fault(dir, name string, from, to int64) error {
	return one(dir, "fault-"+name, record{Kind: kindFault, Begin: from, Time: to})
}

// one writes a log of one record.
func one(dir, name string, r record) error {
	l, err := create(dir, name)
	if err != nil {
		return err
	}
	return errors.Join(l.write(r), l.close())
}

// Now is the time on the clock of all logs of this machine, in nanoseconds.
func Now() int64 { return clock() }
