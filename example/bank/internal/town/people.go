package town

import "fmt"

// The town has two currencies.
const (
	euro  = "EUR"
	franc = "CHF"
)

var (
	firstNames = []string{
		"Ada", "Alan", "Barbara", "Bjarne", "Claude", "Dennis", "Donald", "Edsger", "Frances", "Grace", "Haskell",
		"Hedy", "Jean", "John", "Kathleen", "Ken", "Konrad", "Leslie", "Margaret", "Niklaus", "Radia", "Rob",
		"Sophie", "Tony", "Ursula", "Zoë", "Émilie", "Łukasz", "Søren", "Ayşe",
	}
	lastNames = []string{
		"Abel", "Baker", "Curie", "Dahl", "Euler", "Fermat", "Gauss", "Hamilton", "Ito", "Jensen", "Kovač", "Lamarr",
		"Müller", "Noether", "O'Brien", "Poincaré", "Quine", "Riemann", "Sørensen", "Turing", "Ulam", "Viète", "Weil",
		"Yılmaz", "Zuse",
	}
	// The last employer, and the landlord in the last street, use another currency.
	employerNames = []string{
		"Nordlicht Werft", "Bakery Krumm & Sons", "City of Seeheim", "Institut für Brücken", "Seeheimer Bote",
		"Klinikum", "Reederei Sund", "Schule am Deich", "Elektro Volt, Ampere", "Kiosk AG",
	}
	streets   = []string{"am Hafen", "Lange Straße", "Mühlweg", "am Tor", "Nordstadt", "Alter Markt", "Seeufer", "Domplatz", "Gleis 3", "Bergblick"}
	shopKinds = []struct{ name, sells string }{
		{"Markthalle", "groceries"},
		{"Bio, Brot und mehr", "groceries"},
		{"Stadtwerke", "electricity and water"},
		{"Kino", "cinema"},
		{"Fahrrad Franz", "bicycle repair"},
		{"Apotheke", "pharmacy"},
	}
	presents = []string{"birthday money", "sold a bicycle", "tips", "flea market", "piggy bank"}
	debts    = []string{"pizza on Friday", "concert tickets", "petrol", "your share of the present", "holiday flat, 2nd half", `the "loan"`}
)

// found opens the accounts of the first day.
func (t *town) found(people int) {
	for i, name := range employerNames {
		f := &firm{account: fmt.Sprintf("firm-%d", i+1), name: name, currency: euro}
		if i == len(employerNames)-1 {
			f.currency = franc
		}
		t.employers = append(t.employers, f)
		t.open(f.account, name, f.currency)
		t.deposit(f.account, f.currency, t.between(400_000_00, 900_000_00), "capital")
	}
	for i, kind := range shopKinds {
		for j, street := range streets {
			f := &firm{account: fmt.Sprintf("shop-%d%02d", i+1, j+1), name: kind.name + " " + street, currency: euro, sells: kind.sells}
			t.shops = append(t.shops, f)
			t.open(f.account, f.name, f.currency)
		}
	}
	for i, street := range streets {
		f := &firm{account: fmt.Sprintf("home-%d", i+1), name: "Haus & Grund " + street, currency: euro}
		if i == len(streets)-1 {
			f.currency = franc
		}
		t.landlords = append(t.landlords, f)
		t.open(f.account, f.name, f.currency)
	}
	for range people {
		t.moveIn()
	}
}

func (t *town) moveIn() {
	p := &person{
		account:  fmt.Sprintf("p-%04d", len(t.people)+len(t.closed)+1001),
		name:     pick(t.chance, firstNames) + " " + pick(t.chance, lastNames),
		currency: euro,
		employer: t.employers[t.below(len(t.employers)-1)], landlord: t.landlords[t.below(len(t.landlords)-1)],
		salary: t.between(190, 520) * 10_00, rent: t.between(45, 120) * 10_00,
	}
	if t.below(12) == 0 {
		p.currency, p.employer, p.landlord = franc, t.employers[len(t.employers)-1], t.landlords[len(t.landlords)-1]
	}
	t.people = append(t.people, p)
	t.open(p.account, p.name, p.currency)
	t.deposit(p.account, p.currency, t.between(2, 90)*10_00, "first deposit")
}

// moveAway empties the account of a person and closes it.
func (t *town) moveAway() {
	i := t.below(len(t.people))
	p := t.people[i]
	t.people = append(t.people[:i:i], t.people[i+1:]...)
	t.withdraw(p.account, p.currency, t.balance[p.account], "goodbye")
	t.close(p.account)
}
