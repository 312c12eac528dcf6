module ribglass

go 1.26
