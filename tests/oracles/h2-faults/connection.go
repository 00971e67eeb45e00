package main

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	frameSize = 16384
	linger    = 300 * time.Millisecond
)

// One connection: the frames that come, and what may be sent (RFC 9113 5.2).
type Connection struct {
	site   *Site
	conn   net.Conn
	number int
	framer *http2.Framer

	lock    sync.Mutex // guards what follows, and writing
	room    *sync.Cond
	window  int64 // that the peer gives to all streams
	initial int64 // ... and to a new one
	streams map[uint32]*Stream
	encoder *hpack.Encoder
	block   bytes.Buffer
	last    uint32 // of GOAWAY: later streams are not looked at
	leaving bool   // GOAWAY was sent: the connection ends with its last stream
	closed  bool
}

func newConnection(site *Site, conn net.Conn, number int) *Connection {
	c := &Connection{site: site, conn: conn, number: number, window: 65535, initial: 65535,
		streams: map[uint32]*Stream{}, last: 1<<31 - 1}
	c.framer = http2.NewFramer(conn, conn)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.room = sync.NewCond(&c.lock)
	c.encoder = hpack.NewEncoder(&c.block)
	return c
}

func (c *Connection) serve() {
	defer c.close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.conn, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c.write(func() error {
		return c.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 250})
	})
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil || !c.take(frame) {
			return
		}
	}
}

func (c *Connection) take(frame http2.Frame) bool {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		return f.IsAck() || c.settings(f)
	case *http2.PingFrame:
		return f.IsAck() || c.write(func() error { return c.framer.WritePing(true, f.Data) })
	case *http2.WindowUpdateFrame:
		c.widen(f.StreamID, int64(f.Increment))
	case *http2.RSTStreamFrame:
		c.drop(f.StreamID)
	case *http2.MetaHeadersFrame:
		c.open(f)
	case *http2.DataFrame:
		return c.data(f)
	case *http2.GoAwayFrame:
		return false
	}
	return true
}

func (c *Connection) settings(f *http2.SettingsFrame) bool {
	c.lock.Lock()
	if value, ok := f.Value(http2.SettingInitialWindowSize); ok {
		for _, s := range c.streams {
			s.window += int64(value) - c.initial
		}
		c.initial = int64(value)
	}
	c.room.Broadcast()
	c.lock.Unlock()
	return c.write(c.framer.WriteSettingsAck)
}

func (c *Connection) widen(id uint32, by int64) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if id == 0 {
		c.window += by
	} else if s := c.streams[id]; s != nil {
		s.window += by
	}
	c.room.Broadcast()
}

func (c *Connection) open(f *http2.MetaHeadersFrame) {
	c.lock.Lock()
	if f.StreamID > c.last {
		c.lock.Unlock()
		return
	}
	s := newStream(c, f)
	c.streams[f.StreamID] = s
	c.lock.Unlock()
	s.rule = c.site.add(s.entry)
	if refusal := refusals[s.rule.Fault]; refusal != nil && refusal(s) {
		c.drop(s.id)
	} else if f.StreamEnded() {
		go s.run()
	}
}

func (c *Connection) data(f *http2.DataFrame) bool {
	c.lock.Lock()
	s := c.streams[f.StreamID]
	c.lock.Unlock()
	if n := uint32(len(f.Data())); n > 0 {
		c.write(func() error { return c.framer.WriteWindowUpdate(0, n) })
	}
	if s == nil {
		return true
	}
	s.body.Write(f.Data())
	if f.StreamEnded() {
		go s.run()
	}
	return true
}

// With the lock for writing; false when the connection is gone.
func (c *Connection) write(fn func() error) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return !c.closed && fn() == nil
}

func (c *Connection) drop(id uint32) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if s := c.streams[id]; s != nil {
		s.cancel()
		delete(c.streams, id)
	}
	if c.leaving && len(c.streams) == 0 {
		// What the peer still sends must not meet a closed socket: the reset would take replies
		// with it that it has not read yet.
		time.AfterFunc(linger, func() { c.conn.Close() })
	}
	c.room.Broadcast()
}

// GOAWAY: streams up to last are served.
func (c *Connection) leave(last uint32) {
	c.write(func() error {
		c.last, c.leaving = min(last, c.last), true
		return c.framer.WriteGoAway(c.last, http2.ErrCodeNo, nil)
	})
}

func (c *Connection) close() {
	c.conn.Close()
	c.lock.Lock()
	defer c.lock.Unlock()
	c.closed = true
	for _, s := range c.streams {
		s.cancel()
	}
	c.room.Broadcast()
}
