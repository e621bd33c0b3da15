// Esctl is the operator's command for event stores of esgen.
//
//	esctl VERB [-dsn DSN] ...
//
//	esctl create
//	esctl migrations -all
//	esctl migrate -schema tenant_a -schema tenant_b
//	esctl index add metadata.tenant
//	esctl streams -prefix bank-
//	esctl read bank-a-17
//	esctl subscriptions list -watch
//	esctl parked retry balances bank-a-17
//	esctl verify
//	esctl doctor
//
// The store is where -dsn or the environment variable ESGEN_DSN says:
//
//	postgres://…   a PostgreSQL database; -schema says which schemas of it
//	sqlite:FILE    a file
//
// Results go to the standard output, everything else to the standard error. With
// -json, results are one JSON object per line. Exit codes: 0 done, and nothing to
// find; 1 failed, or found something wrong or pending; 2 called wrongly.
package main
