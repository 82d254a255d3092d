package avro

import "time"

// logical is a logical type. Those that are not known here, and those that
// annotate what they must not, are none: the specification wants them ignored.
type logical struct {
	name             logicalName
	unit             time.Duration // of a time or timestamp
	precision, scale int           // of a decimal
}

type logicalName uint8

const (
	logicalNone logicalName = iota
	logicalDate
	logicalTime
	logicalTimestamp
	logicalLocalTimestamp
	logicalDecimal
)

// timeTypes are the logical types of time, what they annotate and their unit.
var timeTypes = map[string]struct {
	of   kind
	name logicalName
	unit time.Duration
}{
	"date":                   {kindInt, logicalDate, 24 * time.Hour},
	"time-millis":            {kindInt, logicalTime, time.Millisecond},
	"time-micros":            {kindLong, logicalTime, time.Microsecond},
	"timestamp-millis":       {kindLong, logicalTimestamp, time.Millisecond},
	"timestamp-micros":       {kindLong, logicalTimestamp, time.Microsecond},
	"timestamp-nanos":        {kindLong, logicalTimestamp, time.Nanosecond},
	"local-timestamp-millis": {kindLong, logicalLocalTimestamp, time.Millisecond},
	"local-timestamp-micros": {kindLong, logicalLocalTimestamp, time.Microsecond},
	"local-timestamp-nanos":  {kindLong, logicalLocalTimestamp, time.Nanosecond},
}

func logicalOf(o map[string]any, n *node) logical {
	name, _ := o["logicalType"].(string)
	if t, ok := timeTypes[name]; ok && t.of == n.kind {
		return logical{name: t.name, unit: t.unit}
	}
	if name != "decimal" || n.kind != kindBytes && n.kind != kindFixed {
		return logical{}
	}
	precision, ok := integer(o["precision"])
	scale, scaleOK := integer(o["scale"])
	if o["scale"] == nil {
		scale, scaleOK = 0, true
	}
	if !ok || !scaleOK || precision < 1 || precision > maxPrecision || scale < 0 || scale > precision {
		return logical{}
	}
	return logical{name: logicalDecimal, precision: int(precision), scale: int(scale)}
}

// maxPrecision bounds how many digits a decimal can have, for each costs time.
const maxPrecision = 1000
