package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine bounds a line, in bytes. What is longer is no operation, and is not
// kept in memory.
const maxLine = 64 << 10

// HeaderError reports a file that is no ledger. Nothing of it was carried out.
type HeaderError struct {
	// Line is the first line of the file.
	Line string
}

func (e HeaderError) Error() string {
	return fmt.Sprintf("line 1 is %.120q; a ledger begins with the header %s", e.Line, Header)
}

// text is a line as it was read.
type text struct {
	number int
	// line is without its end; tooLong says that it is only the beginning.
	line    string
	tooLong bool
	// end is the byte of the file behind the line.
	end int64
}

// lines yields the lines below the header. The error is that of r, or a wrong
// header; it is the last pair.
func lines(r io.Reader) iter.Seq2[text, error] {
	return func(yield func(text, error) bool) {
		in := bufio.NewReaderSize(r, maxLine)
		var t text
		for {
			line, err := in.ReadSlice('\n')
			t.number++
			t.end += int64(len(line))
			t.tooLong = errors.Is(err, bufio.ErrBufferFull)
			t.line = strings.TrimRight(string(line), "\r\n")
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				t.end += int64(len(line))
			}
			if err != nil && err != io.EOF {
				yield(t, fmt.Errorf("read line %d: %w", t.number, err))
				return
			}
			if t.number == 1 {
				if header := strings.TrimPrefix(t.line, "\ufeff"); header != Header {
					yield(t, HeaderError{header})
					return
				}
			} else if t.line != "" && !yield(t, nil) {
				return
			}
			if err == io.EOF {
				return
			}
		}
	}
}
