package templates_test

import (
	"strings"
	"testing"

	"github.com/esgen/esgen/templates"
)

// A type that holds itself, and what is left to the runtime.
func TestRenderCodecs(t *testing.T) {
	t.Parallel()
	text := &templates.Shape{Kind: templates.StringShape, Go: templates.Type{Name: "string"}}
	node := &templates.Shape{Kind: templates.ObjectShape, Go: templates.Type{Name: "Node"}}
	list := &templates.Shape{Kind: templates.ArrayShape, Len: -1, Elem: node, Go: templates.Type{Kind: templates.Slice, Elem: &node.Go}}
	anything := &templates.Shape{Kind: templates.AnyShape, Go: templates.Type{Name: "any"}}
	node.Properties = []templates.Property{
		{Name: "name", Path: []string{"Name"}, Shape: text, OmitEmpty: true},
		{Name: "nodes", Path: []string{"Nodes"}, Shape: list},
		{Name: "rest", Path: []string{"Rest"}, Shape: anything},
	}
	p := templates.Package{
		Name: "tree", Taken: []string{"Node"}, GeneratedMsgpack: true,
		Families: []templates.Family{{Name: "tree", Events: []templates.Event{{GoName: "Node", Name: "tree.node", Revision: 1, Shape: node}}}},
	}
	got, err := templates.RenderCodecs(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"if v.Name != \"\" {\n\t\tn++\n",
		"dst = w.Map(dst, n)\n\tif w.Err() != nil {\n\t\treturn dst\n",
		"for i := range v.Nodes {\n\t\tdst = packNode(w, dst, v.Nodes[i])\n\t}\n\tw.End()\n",
		"dst = serializer.WriteMsgpack(w, dst, v.Rest)",
		"serializer.MsgpackOf(packNode, unpackNode),",
		"e := wire.Add(&v.Nodes)\n\t\t\t\tunpackNode(r, e)\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	p.GeneratedMsgpack = false
	if got, err := templates.RenderCodecs(p); got != nil || err != nil {
		t.Errorf("a package that asks for no codecs has got some: %s, %v", got, err)
	}
}
