package templates

// Declared lists the package-level names that the generated file of p declares.
func Declared(p Package) []string {
	var list []string
	for _, f := range p.Families {
		list = append(list, "Types", familyOf(f), "Event", "Meta", "Recorded", "Stream", "StreamOf",
			"Handler", "Ignore", "On", "OnBatch", "Subscribe", "SubscribeBatch", "SubscribeTx")
		if f.State != nil {
			list = append(list, "Applier", "Fold", applyOf(f))
		}
		for _, e := range f.Events {
			list = append(list, nameOf(e))
		}
	}
	return list
}

// Seal is the method that the generated file adds to every event of f.
func Seal(f Family) string { return sealOf(f) }
