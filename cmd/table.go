package cmd

import (
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"charm.land/lipgloss/v2"
	lipglosstable "charm.land/lipgloss/v2/table"
)

// table is what a command shows as rows.
type table struct {
	head  []string
	rows  [][]string
	cut   int   // the column that is cut where the terminal is too narrow
	spare []int // columns that are left out before that, the first one first
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write lays the table out for what the output is. A pipe gets aligned text with nothing
// cut.
func (t *table) write(o *output) {
	width, isTerminal := terminalWidth(o.to)
	if !isTerminal {
		t.writePlain(o)
		return
	}
	// It knows what the terminal can show.
	_, err := lipgloss.Fprintln(o.to, t.render(width))
	o.note(err)
}

func (t *table) writePlain(w io.Writer) {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.head}, t.rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cellText(cell)
		}
		_, _ = io.WriteString(tab, strings.TrimRight(strings.Join(cells, "\t"), "\t")+"\n")
	}
	_ = tab.Flush() // a failed write is noted where w is the output
}

// gap is the space between two columns.
const gap = 2

// enoughRoom is how wide the column that is cut is to be, in cells, before
// columns are left out for it.
const enoughRoom = 40

// render lays the table out for a terminal of this width.
func (t *table) render(width int) string {
	all := append([][]string{t.head}, t.rows...)
	for i, row := range all {
		all[i] = make([]string, len(row))
		for j, cell := range row {
			all[i][j] = cellText(cell)
		}
	}
	columns, room := t.fit(all, width)
	for i, row := range all {
		kept := make([]string, len(columns))
		for j, column := range columns {
			kept[j] = row[column]
			if column == t.cut && i > 0 {
				kept[j] = cutTo(row[column], room)
			}
		}
		all[i] = kept
	}
	plain := lipgloss.NewStyle().PaddingRight(gap)
	head := plain.Bold(os.Getenv("NO_COLOR") == "")
	return lipglosstable.New().
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderHeader(false).BorderRow(false).
		Headers(all[0]...).Rows(all[1:]...).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == lipglosstable.HeaderRow {
				return head
			}
			return plain
		}).Render()
}

// fit chooses the columns that are shown, and the width of the one that is cut.
func (t *table) fit(rows [][]string, width int) (columns []int, room int) {
	widths := make([]int, len(t.head))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	room = width - gap
	for i, n := range widths {
		columns = append(columns, i)
		if i != t.cut {
			room -= n + gap
		}
	}
	for _, i := range t.spare {
		if room >= min(enoughRoom, widths[t.cut]) {
			break
		}
		columns = slices.DeleteFunc(columns, func(c int) bool { return c == i })
		room += widths[i] + gap
	}
	return columns, max(room, lipgloss.Width(t.head[t.cut]))
}

// cutTo cuts text that is wider than a number of cells, and shows that it did.
func cutTo(text string, width int) string {
	if lipgloss.Width(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && lipgloss.Width(string(runes))+1 > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// cellText is text that fits a cell: one line, never empty.
func cellText(text string) string {
	text = strings.Join(strings.Fields(printable(text)), " ")
	if text == "" {
		return "-"
	}
	return text
}

// printable replaces what could move the cursor or hide text: messages come
// from outside.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
