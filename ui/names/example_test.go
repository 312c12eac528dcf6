package names_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

func ExampleReadASNames() {
	n, err := names.ReadASNames(strings.NewReader("64500\tExample Network\nAS64501\tAnother One\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Name(64500), n.Name(64502) == "")
	for _, m := range n.Complete("ano", 5) {
		fmt.Println(m.ASN, m.Name)
	}
	// Output:
	// Example Network true
	// 64501 Another One
}

func ExampleDictionary_Explain() {
	d, err := names.ReadCommunities(fstest.MapFS{"as64500.txt": {Data: []byte("64500:20x,Prepend $0 times\n")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Explain(names.Standard(route.Community(64500<<16|203)), nil))
	// Output: Prepend 3 times
}
