package avro

import (
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)

// encodeTime returns nil where the schema or the type is not one of time.
func encodeTime(n *node, t reflect.Type) encodeFunc {
	l := n.logical
	switch {
	case l.name == logicalTime && t == durationType:
		return func(w *writer, p unsafe.Pointer) error {
			d := *at[time.Duration](p)
			if d < 0 || d >= 24*time.Hour {
				return fmt.Errorf("%s is no time of a day", d)
			}
			w.long(int64(d / l.unit))
			return nil
		}
	case l.unit == 0 || l.name == logicalTime || t != timeType:
		return nil
	}
	return func(w *writer, p unsafe.Pointer) error {
		instant := *at[time.Time](p)
		if l.name != logicalTimestamp { // the clock on the wall, as if it hung in Greenwich
			_, zone := instant.Zone()
			instant = instant.Add(time.Duration(zone) * time.Second)
		}
		v, err := units(instant, l.unit)
		if err != nil {
			return err
		}
		if n.kind == kindInt && int64(int32(v)) != v {
			return outOfRange(instant, l.unit)
		}
		w.long(v)
		return nil
	}
}

// units returns how many whole units lie between 1970 and t.
func units(t time.Time, unit time.Duration) (int64, error) {
	seconds := t.Unix()
	if unit > time.Second {
		perUnit := int64(unit / time.Second)
		return floorDiv(seconds, perUnit), nil
	}
	perSecond := int64(time.Second / unit)
	// A second less on both sides, so that the fraction does not overflow either.
	if seconds > math.MaxInt64/perSecond-1 || seconds < math.MinInt64/perSecond+1 {
		return 0, outOfRange(t, unit)
	}
	return seconds*perSecond + int64(t.Nanosecond())/int64(unit), nil
}

func outOfRange(t time.Time, unit time.Duration) error {
	return fmt.Errorf("the year %d is too far away to be told in units of %s", t.Year(), unit)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// fromUnits is the way back.
func fromUnits(v int64, unit time.Duration) time.Time {
	if unit > time.Second {
		return time.Unix(v*int64(unit/time.Second), 0).UTC() // a day is an int: no overflow
	}
	perSecond := int64(time.Second / unit)
	seconds := floorDiv(v, perSecond)
	return time.Unix(seconds, (v-seconds*perSecond)*int64(unit)).UTC()
}

// decodeTime returns nil where the schema or the type is not one of time.
func decodeTime(n *node, t reflect.Type, long func(*reader) (int64, error)) decodeFunc {
	l := n.logical
	switch {
	case l.name == logicalTime && t == durationType:
		return func(r *reader, p unsafe.Pointer) error {
			v, err := long(r)
			if err != nil {
				return err
			}
			if v < 0 || v >= int64(24*time.Hour/l.unit) {
				return fmt.Errorf("%d × %s is no time of a day", v, l.unit)
			}
			*at[time.Duration](p) = time.Duration(v) * l.unit
			return nil
		}
	case l.unit == 0 || l.name == logicalTime || t != timeType:
		return nil
	}
	return func(r *reader, p unsafe.Pointer) error {
		v, err := long(r)
		if err == nil {
			*at[time.Time](p) = fromUnits(v, l.unit)
		}
		return err
	}
}
