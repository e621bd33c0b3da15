package pgtest

// Join makes a process that runs no test a user of the shared server.
func Join() (string, error) { return shared() }

// SkipIfOff is what every test does that needs a server.
var SkipIfOff = skipIfOff
