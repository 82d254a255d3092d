package avro

// skipFunc reads a value that nobody wants. It checks it as if somebody did.
type skipFunc func(r *reader) error

func (c *decoderCompiler) skip(n *node) skipFunc {
	switch n.kind {
	case kindNull:
		return func(*reader) error { return nil }
	case kindBoolean:
		return func(r *reader) error { _, err := r.boolean(); return err }
	case kindInt:
		return func(r *reader) error { _, err := r.int(); return err }
	case kindLong:
		return func(r *reader) error { _, err := r.long(); return err }
	case kindFloat:
		return func(r *reader) error { _, err := r.take(4); return err }
	case kindDouble:
		return func(r *reader) error { _, err := r.take(8); return err }
	case kindBytes, kindString:
		return func(r *reader) error { _, err := r.bytes(); return err }
	case kindFixed:
		return func(r *reader) error { _, err := r.take(n.size); return err }
	case kindEnum:
		return func(r *reader) error { _, err := r.index(len(n.symbols), "symbol"); return err }
	case kindRecord:
		return c.skipRecord(n)
	case kindUnion:
		return c.skipUnion(n)
	default:
		return c.skipItems(n)
	}
}

func (c *decoderCompiler) skipRecord(n *node) skipFunc {
	if known := c.skips[n]; known != nil {
		return func(r *reader) error { return (*known)(r) }
	}
	self := new(skipFunc)
	c.skips[n] = self
	fields := make([]skipFunc, len(n.fields))
	for i, f := range n.fields {
		fields[i] = c.skip(f.node)
	}
	*self = func(r *reader) error {
		if err := r.enter(); err != nil {
			return err
		}
		for i, skip := range fields {
			if err := skip(r); err != nil {
				return inField(n.fields[i].name, err)
			}
		}
		r.leave()
		return nil
	}
	return *self
}

func (c *decoderCompiler) skipUnion(n *node) skipFunc {
	branches := make([]skipFunc, len(n.branches))
	for i, b := range n.branches {
		branches[i] = c.skip(b)
	}
	return func(r *reader) error {
		i, err := r.index(len(branches), "type of a union")
		if err != nil {
			return err
		}
		return branches[i](r)
	}
}

// skipItems skips an array or a map.
func (c *decoderCompiler) skipItems(n *node) skipFunc {
	item := c.skip(n.items)
	bytes := least(n.items, map[*node]int{})
	if n.kind == kindMap {
		bytes++ // the key's length
	}
	return func(r *reader) error {
		for {
			count, err := r.block(bytes)
			if err != nil || count == 0 {
				return err
			}
			for range count {
				if n.kind == kindMap {
					if _, err := r.bytes(); err != nil {
						return err
					}
				}
				if err := item(r); err != nil {
					return err
				}
			}
		}
	}
}
