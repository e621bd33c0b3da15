package pgtest

// Join makes a process that runs no test a user of the shared server.
func Join() (string, error) { return shared() }
