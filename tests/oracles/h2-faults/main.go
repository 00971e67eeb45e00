// An HTTP/2 server in front of an API server that ends streams and connections as servers, load
// balancers and rolling upgrades do: RST_STREAM, GOAWAY, a cut, before or after the request was
// passed on. What came and what was passed on is counted.
//
//	h2-faults UPSTREAM CA CERT KEY
//
// prints two ports: of the server (TLS) and of its control (HTTP: POST /rules, DELETE /rules, GET
// /log).
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
)

// What is done to requests that match.
type Rule struct {
	Fault       string // see stream.go
	Method      string
	Path        string // a regular expression
	Skip, Times int    // so many pass first; so many are hit (-1: all)
	Bytes       int    // of the reply's body that pass first

	path *regexp.Regexp
}

// One request, as the log tells it.
type Entry struct {
	Method, Path, Body string
	Connection, Stream int
	Fault              string
	Forwarded          bool
	Status             int
}

type Site struct {
	upstream string
	client   *http.Client

	lock        sync.Mutex
	rules       []*Rule
	entries     []*Entry
	connections int
}

func (s *Site) add(e *Entry) Rule {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.entries = append(s.entries, e)
	for _, r := range s.rules {
		if r.Times == 0 || (r.Method != "" && r.Method != e.Method) || !r.path.MatchString(e.Path) {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		if r.Times > 0 {
			r.Times--
		}
		e.Fault = r.Fault
		return *r
	}
	return Rule{}
}

func (s *Site) note(e *Entry, change func(*Entry)) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change(e)
}

func (s *Site) control(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch {
	case r.URL.Path == "/log":
		json.NewEncoder(w).Encode(s.entries)
	case r.Method == "DELETE":
		s.rules = nil
	default:
		rule := &Rule{Times: 1}
		err := json.NewDecoder(r.Body).Decode(rule)
		if err == nil {
			rule.path, err = regexp.Compile(rule.Path)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.rules = append(s.rules, rule)
	}
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: h2-faults UPSTREAM CA CERT KEY")
	}
	ca, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	site := &Site{upstream: os.Args[1], client: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}}}
	server := tls.NewListener(listen(), &tls.Config{
		Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
	control := listen()
	go http.Serve(control, http.HandlerFunc(site.control))
	fmt.Println(server.Addr().(*net.TCPAddr).Port, control.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := server.Accept()
		if err != nil {
			log.Fatal(err)
		}
		site.lock.Lock()
		site.connections++
		number := site.connections
		site.lock.Unlock()
		go newConnection(site, conn, number).serve()
	}
}
