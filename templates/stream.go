package templates

import "github.com/dave/jennifer/jen"

// stream declares the typed stream. It is a defined type and not an alias, so
// that go doc lists its methods.
func stream(f Family) jen.Code {
	return comment(named(f, "Stream")+" is one "+f.Name+" stream: a value that is cheap to make and safe for "+
		"concurrent use. Settings of With apply to its later calls. A call whose ctx has no deadline "+
		"gets the store's timeout.", 0).
		Type().Id(named(f, "Stream")).Add(oneLine("struct{ ", " }",
		jen.Id("s").Qual(runtimePath, "Stream").Types(f.ID.Type.code(), jen.Id(named(f, "Event")))))
}

func streamOf(f Family) jen.Code {
	return comment(named(f, "StreamOf")+" returns the stream with the given id, stored as "+f.Name+"-<id>. It does no I/O.", 0).
		Func().Id(named(f, "StreamOf")).
		Params(jen.Id("s").Qual(storePath, "Streams"), jen.Id("id").Add(f.ID.Type.code())).
		Id(named(f, "Stream")).
		Block(jen.Return(jen.Id(named(f, "Stream")).Values(jen.Id(familyOf(f)).Dot("Stream").Call(jen.Id("s"), jen.Id("id")))))
}

func with(f Family) jen.Code {
	return comment("With returns the stream with settings: es.Key, es.Metadata, es.Retries and others. "+
		"The stream it is called on is unchanged.", 0).
		Add(onStream(f, "With")).
		Params(jen.Id("settings").Op("...").Qual(runtimePath, "Setting")).
		Id(named(f, "Stream")).
		Block(jen.Return(jen.Id(named(f, "Stream")).Values(jen.Id("s").Dot("s").Dot("With").Call(jen.Id("settings").Op("...")))))
}

func appendEvents(f Family) jen.Code {
	return comment("Append adds events to the end of the stream, all or none, and returns where they "+
		"are stored. The stream must be at version expected: store.NoStream for a new one, store.Any "+
		"for no check.\n\n"+
		"If the stream has moved on, the error is a *store.ConflictError, for which errors.Is(err, "+
		"store.ErrConflict) holds, and nothing is stored: read again and decide again. Nil, a pointer "+
		"to an event and a struct that embeds one are refused"+retirees(f)+".", 0).
		Add(onStream(f, "Append")).
		Params(ctx(), jen.Id("expected").Qual(storePath, "Version"), jen.Id("events").Op("...").Id(named(f, "Event"))).
		Params(jen.Qual(storePath, "Appended"), jen.Error()).
		Block(jen.Return(jen.Id("s").Dot("s").Dot("Append").Call(
			jen.Id("ctx"), jen.Id("expected"), jen.Id("events").Op("..."))))
}

func read(f Family) jen.Code {
	return comment("Read yields the events from version from on, in order; 0 and 1 are the beginning. "+
		"An error is the last pair: store.ErrStreamNotFound if the stream has no events, an "+
		"*es.ReadError if this program does not know an event or cannot decode it. "+skips(f), 0).
		Add(onStream(f, "Read")).
		Params(ctx(), jen.Id("from").Qual(storePath, "Version")).
		Qual("iter", "Seq2").Types(jen.Id(named(f, "Recorded")), jen.Error()).
		Block(jen.Return(jen.Id("s").Dot("s").Dot("Read").Call(jen.Id("ctx"), jen.Id("from"))))
}

// retirees names the events that Append refuses.
func retirees(f Family) string {
	var names []string
	for _, e := range f.Events {
		if e.Retired {
			names = append(names, e.GoName)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", and so is what is retired: " + enumerate(names)
}

// skips says what becomes of events that are none any more.
func skips(f Family) string {
	for _, r := range f.Retired {
		if r.Event == "" {
			return passedOver
		}
	}
	for _, u := range f.Upcasts {
		if last := u.Chain[len(u.Chain)-1].To; last.Path == "" && last.Name == named(f, "Event") {
			return passedOver
		}
	}
	return "No event is skipped."
}

const passedOver = "What is no longer an event is passed over, and told to es.OnSkip."
