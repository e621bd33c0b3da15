package town

import (
	"strings"
	"time"
)

// mistake returns a line that changes nothing if the bank is right, made after e,
// which is right.
func (t *town) mistake(e entry) string {
	p := pick(t.chance, t.people)
	wrong := func(operation, account string) entry {
		w := t.stamp(operation, account)
		if operation != "close" {
			w.amount, w.currency = money(t.between(1_00, 99_99)), p.currency
		}
		return w
	}
	gone := "p-0000"
	if len(t.closed) > 0 {
		gone = pick(t.chance, t.closed)
	}
	w := wrong("deposit", p.account)
	// The bank refuses these.
	switch t.below(28) {
	case 0:
		w = wrong("withdraw", p.account)
		w.amount = money(t.balance[p.account] + t.between(1, 500_00))
	case 1:
		w = wrong("transfer", p.account)
		w.counterparty, w.amount = t.shops[0].account, money(t.balance[p.account]+t.between(1, 500_00))
	case 2:
		w = wrong("withdraw", "p-9999")
	case 3:
		w = wrong("transfer", t.employers[0].account)
		w.counterparty, w.currency = "p-9998", euro
	case 4:
		w = wrong("deposit", gone)
	case 5:
		w = wrong("transfer", t.employers[0].account)
		w.counterparty, w.currency = gone, euro
	case 6:
		w = wrong("open", p.account)
		w.owner, w.amount = p.name, ""
	case 7:
		w.currency = "USD"
	case 8:
		w = wrong("transfer", t.employers[len(t.employers)-1].account)
		w.counterparty, w.currency = t.shops[0].account, franc
	case 9:
		w = wrong("transfer", p.account)
		w.counterparty = p.account
	case 10:
		w = wrong("close", t.employers[t.below(len(t.employers)-1)].account)
	case 11:
		w.amount = "0.00"
	case 12:
		w.amount = "-" + w.amount
	case 13:
		w.account, w.currency, w.amount = t.employers[0].account, euro, "92233720368547758.07"
	case 14:
		w = wrong("open", "p 1")
		w.owner, w.amount = "Bobby Tables", ""
	case 15:
		w = wrong("open", "p-9997")
		w.amount = ""

	// These cannot be read.
	case 16:
		return strings.Replace(w.String(), ",", "", 1)
	case 17:
		return strings.TrimSuffix(w.String(), "\n") + ",\n"
	case 18:
		w.operation = pick(t.chance, []string{"Deposit", "refund", "", "despoit"})
	case 19:
		w.amount = pick(t.chance, []string{"12,50", "12.345", "1e3", "", "twelve", "€5.00", "92233720368547758.08"})
		if strings.Contains(w.amount, ",") {
			w.amount = `"` + w.amount + `"`
		}
	case 20:
		w.time = pick(t.chance, []string{"31.01.2025", "2025-02-30T10:00:00Z", "2025-01-31 10:00", "", "yesterday"})
	case 21:
		w.currency = pick(t.chance, []string{"JPY", "eur", "", "EURO"})
	case 22:
		w.reference = ""
	case 23:
		w.reference = e.reference
	case 24:
		w.owner = p.name
	case 25:
		return strings.Replace(w.String(), "deposit", `dep"osit`, 1)
	case 26:
		return strings.Replace(w.String(), ",,,", `,,",`, 1)
	default:
		w.text = "caf\xe9, " + t.now.Format(time.Kitchen)
	}
	return w.String()
}
