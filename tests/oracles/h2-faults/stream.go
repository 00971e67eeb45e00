package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// One request and its reply.
type Stream struct {
	connection *Connection
	id         uint32
	window     int64 // guarded by the connection's lock
	entry      *Entry
	rule       Rule
	header     http.Header
	body       bytes.Buffer
	context    context.Context
	cancel     context.CancelFunc
}

// What befalls a request of which only the header was read; true when that was all.
var refusals = map[string]func(s *Stream) bool{
	// Not looked at: may be sent again (RFC 9113 8.7).
	"refused":     func(s *Stream) bool { s.reset(http2.ErrCodeRefusedStream); return true },
	"goaway-over": func(s *Stream) bool { s.connection.leave(s.id - 1); return true },
	// Served, and the last one of its connection: how servers end connections.
	"goaway": func(s *Stream) bool { s.connection.leave(s.id); return false },
}

// What befalls a request that was passed on to the API server: its reply is lost.
var losses = map[string]func(s *Stream){
	"lost-reset":  func(s *Stream) { s.reset(http2.ErrCodeInternal) },
	"lost-cancel": func(s *Stream) { s.reset(http2.ErrCodeCancel) },
	"lost-cut":    func(s *Stream) { s.connection.conn.Close() },
	"lost-goaway": func(s *Stream) { s.connection.leave(s.id); s.connection.conn.Close() },
}

// What befalls a reply after Rule.Bytes of its body.
var endings = map[string]func(s *Stream){
	"reset-amid":  func(s *Stream) { s.reset(http2.ErrCodeInternal) },
	"cancel-amid": func(s *Stream) { s.reset(http2.ErrCodeCancel) },
	"goaway-amid": func(s *Stream) { s.connection.leave(s.id); s.connection.conn.Close() },
	"cut-amid":    func(s *Stream) { s.connection.conn.Close() },
}

func newStream(c *Connection, f *http2.MetaHeadersFrame) *Stream {
	s := &Stream{connection: c, id: f.StreamID, window: c.initial, header: http.Header{}}
	s.context, s.cancel = context.WithCancel(context.Background())
	s.entry = &Entry{Method: f.PseudoValue("method"), Path: f.PseudoValue("path"),
		Connection: c.number, Stream: int(f.StreamID)}
	for _, field := range f.RegularFields() {
		s.header.Add(field.Name, field.Value)
	}
	return s
}

func (s *Stream) run() {
	defer s.connection.drop(s.id)
	s.connection.site.note(s.entry, func(e *Entry) { e.Body = s.body.String() })
	if loss := losses[s.rule.Fault]; loss != nil {
		s.lose()
		loss(s)
		return
	}
	reply, err := s.forward()
	if err != nil {
		s.reset(http2.ErrCodeInternal)
		return
	}
	defer reply.Body.Close()
	s.answer(reply)
}

func (s *Stream) reset(code http2.ErrCode) {
	s.connection.write(func() error { return s.connection.framer.WriteRSTStream(s.id, code) })
}

func (s *Stream) forward() (*http.Response, error) {
	site := s.connection.site
	request, err := http.NewRequestWithContext(s.context, s.entry.Method,
		site.upstream+s.entry.Path, bytes.NewReader(s.body.Bytes()))
	if err != nil {
		return nil, err
	}
	request.Header = s.header
	site.note(s.entry, func(e *Entry) { e.Forwarded = true })
	reply, err := site.client.Do(request)
	if err == nil {
		site.note(s.entry, func(e *Entry) { e.Status = reply.StatusCode })
	}
	return reply, err
}

func (s *Stream) lose() {
	if reply, err := s.forward(); err == nil {
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
	}
}

func (s *Stream) head(reply *http.Response) bool {
	c := s.connection
	return c.write(func() error {
		c.block.Reset()
		c.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(reply.StatusCode)})
		for name, values := range reply.Header {
			name = strings.ToLower(name)
			if name == "connection" || name == "transfer-encoding" {
				continue
			}
			for _, value := range values {
				c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
			}
		}
		return c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id,
			BlockFragment: c.block.Bytes(), EndHeaders: true})
	})
}

func (s *Stream) answer(reply *http.Response) {
	ending := endings[s.rule.Fault]
	if !s.head(reply) {
		return
	}
	left := s.rule.Bytes
	piece := make([]byte, frameSize)
	for {
		n, err := reply.Body.Read(piece)
		if ending != nil && n >= left {
			s.send(piece[:left])
			ending(s)
			return
		}
		left -= n
		if !s.send(piece[:n]) {
			return
		}
		if err != nil {
			break
		}
	}
	c := s.connection
	c.write(func() error { return c.framer.WriteData(s.id, true, nil) })
}

// As far as the peer's windows have room.
func (s *Stream) send(data []byte) bool {
	c := s.connection
	c.lock.Lock()
	defer c.lock.Unlock()
	for len(data) > 0 {
		n := min(int64(len(data)), s.window, c.window)
		if c.closed || c.streams[s.id] != s {
			return false
		}
		if n <= 0 {
			c.room.Wait()
			continue
		}
		s.window -= n
		c.window -= n
		if c.framer.WriteData(s.id, false, data[:n]) != nil {
			return false
		}
		data = data[n:]
	}
	return true
}
