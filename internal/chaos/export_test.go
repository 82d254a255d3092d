package chaos

// For tests from outside.
var (
	Plan = plan
	Gap  = gap
)

// Kinds counts how often what happens.
func Kinds(faults []fault) (f Faults) {
	for i := range faults {
		*map[faultKind]*int{
			killWorker: &f.Kills, closeWorker: &f.Closes, joinWorker: &f.Joins, rollStage: &f.Rollings,
			freezeWorker: &f.Freezes, takeBroker: &f.Brokers, cutLink: &f.Cuts,
		}[faults[i].kind]++
	}
	return f
}

// WithDefaults is the configuration that a run has.
func WithDefaults(c Config) Config { return c.withDefaults() }
