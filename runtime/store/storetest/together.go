package storetest

import "sync"

// together runs do(0) to do(n-1) at once and waits. do must not end the case.
func (f *fixture) together(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}
