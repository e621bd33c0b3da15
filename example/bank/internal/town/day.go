package town

import (
	"slices"
	"time"
)

// live writes what happens on a day.
func (t *town) live(day time.Time) {
	switch day.Day() {
	case 1:
		t.payday(day)
	case 3:
		t.rentDay(day)
	case 5:
		t.bills(day)
	case 28:
		t.settle(day)
	}
	// Everybody shops about once a week; half of the town on a Saturday.
	likely := 8
	if day.Weekday() == time.Saturday {
		likely = 2
	}
	for _, p := range t.everybody() {
		if t.below(likely) == 0 {
			t.shop(p)
		}
	}
	for range 12 + t.below(12) {
		t.chores()
	}
	if t.below(2) == 0 {
		t.moveIn()
	}
	if t.below(2) == 0 && len(t.people) > 20 {
		t.moveAway()
	}
}

func (t *town) payday(day time.Time) {
	for _, p := range t.everybody() {
		t.transfer(p.employer.account, p.account, p.currency, p.salary, "salary "+day.Month().String())
	}
}

func (t *town) rentDay(day time.Time) {
	for _, p := range t.everybody() {
		t.transfer(p.account, p.landlord.account, p.currency, p.rent, "rent "+day.Month().String())
	}
}

func (t *town) bills(day time.Time) {
	for _, p := range t.everybody() {
		works := t.branch(2)
		if p.currency == works.currency {
			t.transfer(p.account, works.account, works.currency, t.between(41_00, 139_99), works.sells+", "+day.Month().String())
		}
	}
}

// settle brings the money that was spent back to those who pay the salaries.
func (t *town) settle(day time.Time) {
	for _, f := range append(append([]*firm{}, t.shops...), t.landlords...) {
		to := t.employers[t.below(len(t.employers)-1)]
		if f.currency == franc {
			to = t.employers[len(t.employers)-1]
		}
		t.transfer(f.account, to.account, f.currency, t.balance[f.account]*3/4, "invoice "+day.Format("2006/01"))
	}
}

func (t *town) shop(p *person) {
	if p.currency != euro {
		t.withdraw(p.account, p.currency, t.between(1, 12)*10_00, "cash")
		return
	}
	// Mostly groceries.
	f := t.branch(t.below(2))
	if t.below(4) == 0 {
		f = t.branch(3 + t.below(3))
	}
	t.transfer(p.account, f.account, f.currency, t.between(3_49, 94_99), f.sells+", "+f.name)
}

// everybody returns all people, beginning with another one each time.
func (t *town) everybody() []*person {
	first := t.below(len(t.people))
	return slices.Concat(t.people[first:], t.people[:first])
}

// branch returns one of the shops of a kind.
func (t *town) branch(kind int) *firm {
	return t.shops[kind*len(streets)+t.below(len(streets))]
}

// chores are what anybody may do on any day.
func (t *town) chores() {
	p := pick(t.chance, t.people)
	switch t.below(5) {
	case 0:
		t.deposit(p.account, p.currency, t.between(1, 30)*5_00, pick(t.chance, presents))
	case 1, 2:
		t.withdraw(p.account, p.currency, t.between(1, 20)*10_00, "cash")
	default:
		if friend := pick(t.chance, t.people); friend.currency == p.currency {
			t.transfer(p.account, friend.account, p.currency, t.between(2_50, 89_00), pick(t.chance, debts))
		}
	}
}
