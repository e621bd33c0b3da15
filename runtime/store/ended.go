package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/esgen/esgen/internal/printable"
)

// Ended returns nil while ctx lives, and then the error of an operation that was
// not carried out because it has ended. op is what was attempted, "append to
// bank-a-17"; empty, the error is only why ctx has ended. [errors.Is] finds both
// ctx.Err() and [context.Cause] in it, so that callers who know one of the two
// find what they know. Every store makes these errors by it.
func Ended(ctx context.Context, op string) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	switch cause := context.Cause(ctx); {
	case !errors.Is(cause, err):
		err = fmt.Errorf("%w: %w", err, cause)
	default:
		err = cause
	}
	if op == "" {
		return err
	}
	return fmt.Errorf("%s: %w", printable.Name(op), err)
}
