module ribglass

go 1.26

require (
	github.com/gaissmai/bart v0.30.0
	github.com/google/go-cmp v0.7.0
	pgregory.net/rapid v1.3.0
)
