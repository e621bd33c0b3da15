package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/esgen/esgen/example/bank/ledger"
)

var importVerb = verb{
	name: "import", args: []string{"FILE"}, about: "carry out the operations of a CSV file",
	more: `FILE is a CSV file with the header
` + ledger.Header + `
or - for the standard input. Operations are open, deposit, withdraw, transfer and
close. Lines that cannot be read or are refused are reported; the rest is carried
out. A file can be imported again, also after it has grown or an import was
interrupted: what was imported before stays as it is.`,
	prepare: func(f *flag.FlagSet) action {
		all := f.Bool("v", false, "show all rejected lines instead of the first 20")
		workers := f.Int("workers", 8, "`N` operations under way at once, one per account")
		return func(ctx context.Context, s shell, args []string) error {
			file, size, err := s.open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			return s.with(ctx, func(s session) error {
				bar := s.bar(size)
				began := time.Now()
				summary, err := ledger.Import(ctx, s.db, file, ledger.Config{
					Workers:  *workers,
					Progress: func(bytes int64) { _ = bar.Set64(bytes) },
				})
				_ = bar.Finish()
				if _, ok := errors.AsType[ledger.HeaderError](err); ok {
					return fmt.Errorf("import %s: %w\nNothing was imported", args[0], err)
				}
				s.summarise(args[0], summary, time.Since(began), *all)
				if err != nil {
					return fmt.Errorf("import %s: %w\nWhat was imported stays as it is. Import the file again to go on", args[0], err)
				}
				return nil
			})
		}
	},
}

// open returns the file and its size in bytes, -1 if that is not known.
func (s shell) open(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(s.stdin), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New(name + " is a directory; import takes a file")
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// bar shows progress to a person; nobody wants it in a file.
func (s shell) bar(size int64) *progressbar.ProgressBar {
	if file, ok := s.stderr.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return progressbar.DefaultBytesSilent(size)
	}
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(s.stderr),
		progressbar.OptionSetDescription("importing"),
		progressbar.OptionSetPredictTime(size > 0),
		progressbar.OptionSetWidth(32),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerPadding: "─", BarStart: " ", BarEnd: " "}),
	)
}

func (s shell) summarise(name string, summary ledger.Summary, elapsed time.Duration, all bool) {
	perSecond := float64(summary.Lines) / max(elapsed.Seconds(), 1e-9)
	s.printf("%s: %s in %s, %s a second\n", name, countGrouped(summary.Lines, "operation"), elapsed.Round(time.Millisecond), group(int(perSecond)))
	counts := table{right: []int{1}}
	counts.row("accepted", group(summary.Accepted))
	counts.row("already imported", group(summary.AlreadyImported))
	counts.row("rejected", group(len(summary.Rejected)))
	for _, kind := range summary.Kinds() {
		counts.row("  "+kind.Kind, group(kind.Lines))
	}
	counts.print(s.stdout, "  ")
	if len(summary.Rejected) == 0 {
		return
	}
	s.printf("\nrejected lines")
	lines := table{right: []int{0}}
	shown := len(summary.Rejected)
	if !all {
		shown = min(shown, 20)
	}
	for _, r := range summary.Rejected[:shown] {
		lines.row(strconv.Itoa(r.Line), r.Reason)
	}
	lines.print(s.stdout, "  ")
	if more := len(summary.Rejected) - shown; more > 0 {
		s.printf("  … and %s more, shown by -v", group(more))
	}
}

func countGrouped(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return group(n) + " " + noun + "s"
}
