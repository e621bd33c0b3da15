package subscribe_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
	_ "pgregory.net/rapid" // defines the flags
)

// The model has more kinds of steps than rapid's defaults reckon with.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "500")
	_ = flag.Set("rapid.steps", "150")
	goleak.VerifyTestMain(m)
}
