package query

// Nearest returns the name that the fewest edits make of s, "" when all are too
// different to have been meant. It serves whoever tells a person which word was
// not understood.
func Nearest(s string, names []string) string {
	const most = 64 // bytes; nobody slips in a longer word
	if len(s) > most {
		return ""
	}
	best, fewest := "", len(s)
	for _, n := range names {
		if d := distance(s, n); d < fewest && d <= max(1, max(len(s), len(n))/3) {
			best, fewest = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance with transpositions of neighbours as one
// edit, the commonest slip of a typing hand.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			substitution := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				substitution++
			}
			rows[i][j] = min(substitution, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
