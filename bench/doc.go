/*
Bench measures the PostgreSQL store against what the same server does without it,
and compares measurements over time.

	bench run [-run REGEXP] [-quick] [-dsn DSN] [-o FILE]
	bench compare [-fail] OLD NEW
	bench report [-o PAGE] [RESULT]

# Run

Starts a PostgreSQL server of its own, with default durable settings, and measures
each row in turns with its limit: a program that moves the same rows through the
same tables, triggers and indexes, and does nothing else. The limits are in package
bench/limit, which imports no package of the store's.

Results go to a table on the standard output and to a list of rows in JSON, by
default bench/out/latest.json, with a page of charts beside it. Each result is also
kept under the time of its run. A row tells

	name                     what was measured: append/one/w50
	per_second               events per second
	p50_us p99_us p999_us    latency of an operation, in microseconds
	limit_per_second         what the limit reached in between
	ratio                    ours over the limit's; of a latency, the limit's over
	                         ours. Higher is better. ratio_of tells of what.
	at_least                 the ratio that is aimed at, if one is
	allocs bytes             allocated by this process, per event
	wal_bytes commits        the server's log and its writing transactions, per event
	more                     what only this row has to tell
	samples limit_samples    all turns; the figures above are their medians

Flags:

	-run REGEXP      rows whose names match; a row's companions come along
	-quick           the first rows, in under two minutes
	-dsn DSN         measure on this server. It makes schemas named bench_… in the
	                 database and drops them; the role must be able to CHECKPOINT.
	-o FILE          the result
	-pool N          connections of the store's pool, 10
	-rounds N        turns of each side, 7 (quick: 5)
	-length D        how long a turn is, 3s (quick: 0.6s)
	-long D          the same for rows about time and size, 10s
	-cpuprofile FILE of all turns; go tool pprof -tagfocus side=append/one/w50 shows one

# Compare

Shows per row and metric the medians of two results and by how many percent they
differ. A difference counts if chance does not explain it, by the rules of
benchstat: the U test of Mann and Whitney over the turns, p below 0.05; else a ~
stands there. Ratios of turns that ran side by side are the figures to look at if
the machine was busy. -fail exits with 1 if the ratio of any row has become worse.

# Report

Writes a page with tables and charts, which loads nothing from elsewhere.

Exit codes: 0 done, 1 failed, 2 called wrongly.
*/
package main
