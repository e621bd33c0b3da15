package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows progress to a person; nobody wants it in a file. It shows bytes if the
// whole is -1 or counts them, and how much is left if the whole is known.
func (s shell) bar(what string, whole int64, bytes bool) *progressbar.ProgressBar {
	file := terminal(s.stderr)
	return progressbar.NewOptions64(whole,
		progressbar.OptionSetWriter(s.stderr),
		progressbar.OptionSetVisibility(file != nil),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(whole > 0),
		progressbar.OptionSetWidth(32),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerPadding: "─", BarStart: " ", BarEnd: " "}),
	)
}
