package avro

import (
	"fmt"
	"math/big"
	"unsafe"
)

// A decimal is an integer, in two's complement and big endian, over a power of
// ten.

func encodeDecimal(n *node) encodeFunc {
	scale := power(n.logical.scale)
	limit := power(n.logical.precision)
	return func(w *writer, p unsafe.Pointer) error {
		v := at[big.Rat](p)
		scaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(scale))
		if !scaled.IsInt() {
			return fmt.Errorf("%s has more than %d digits behind the point", clip(v.RatString()), n.logical.scale)
		}
		i := scaled.Num()
		if i.CmpAbs(limit) >= 0 {
			return fmt.Errorf("%s has more than %d digits", clip(v.FloatString(n.logical.scale)), n.logical.precision)
		}
		if n.kind == kindBytes {
			w.bytes(complement(i, octets(i)))
			return nil
		}
		if octets(i) > n.size {
			return fmt.Errorf("%s needs more than the %d bytes of %s", clip(v.FloatString(n.logical.scale)), n.size, n)
		}
		w.buf = append(w.buf, complement(i, n.size)...)
		return nil
	}
}

func power(of int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(of)), nil)
}

// octets is how many bytes i has in two's complement.
func octets(i *big.Int) int {
	if i.Sign() < 0 {
		i = new(big.Int).Not(i)
	}
	return i.BitLen()/8 + 1
}

// complement writes i in size bytes, which must have room for its sign.
func complement(i *big.Int, size int) []byte {
	if i.Sign() < 0 {
		i = new(big.Int).Add(i, new(big.Int).Lsh(big.NewInt(1), uint(size)*8))
	}
	return i.FillBytes(make([]byte, size))
}

func decodeDecimal(n *node, bytes func(*reader) ([]byte, error)) decodeFunc {
	scale := power(n.logical.scale)
	limit := power(n.logical.precision)
	return func(r *reader, p unsafe.Pointer) error {
		b, err := bytes(r)
		if err != nil {
			return err
		}
		if len(b) > maxPrecision {
			return fmt.Errorf("a decimal has %d bytes", len(b))
		}
		i := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
		}
		if i.CmpAbs(limit) >= 0 {
			return fmt.Errorf("a decimal has more than %d digits", n.logical.precision)
		}
		at[big.Rat](p).SetFrac(i, scale)
		return nil
	}
}
