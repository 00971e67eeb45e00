// Notation's real library, asked as source-controller asks it, and as a signer: a case a line on
// standard input, an answer a line on standard output.
package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	_ "github.com/notaryproject/notation-core-go/signature/cose"
	_ "github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

type testCase struct {
	Policy     string
	Certs      []string
	Reference  string
	Type       string
	Envelope   []byte // base64
	Descriptor ocispec.Descriptor

	Sign    string // the envelope's media type: sign Payload with Key
	Key     string
	Chain   string
	Payload string
	Expiry  int64 // seconds from now; 0: none
	Scheme  string
}

type store struct{ certs []string }

func (s store) GetCertificates(_ context.Context, _ truststore.Type, _ string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, text := range s.certs {
		block, _ := pem.Decode([]byte(text))
		raw := []byte(text)
		if block != nil {
			raw = block.Bytes
		}
		certs, err := x509.ParseCertificates(raw)
		if err != nil {
			return nil, err
		}
		all = append(all, certs...)
	}
	return all, nil
}

func skipCleaned(doc *trustpolicy.Document) {
	for i := range doc.TrustPolicies {
		if doc.TrustPolicies[i].SignatureVerification.VerificationLevel == "skip" {
			doc.TrustPolicies[i].TrustStores = nil
			doc.TrustPolicies[i].TrustedIdentities = nil
		}
	}
}

func check(c *testCase) (string, error) {
	var doc trustpolicy.Document
	if err := json.Unmarshal([]byte(c.Policy), &doc); err != nil {
		return "", err
	}
	skipCleaned(&doc)
	v, err := verifier.New(&doc, store{c.Certs}, nil)
	if err != nil {
		return "", err
	}
	outcome, err := v.Verify(context.Background(), c.Descriptor, c.Envelope,
		notation.VerifierVerifyOptions{ArtifactReference: c.Reference, SignatureMediaType: c.Type})
	if err != nil {
		return "", err
	}
	if outcome.VerificationLevel == trustpolicy.LevelSkip {
		return "ignored", nil
	}
	for _, result := range outcome.VerificationResults {
		if result.Error != nil && result.Type == trustpolicy.TypeAuthenticity {
			return "ignored", nil
		}
	}
	return "good", nil
}

func sign(c *testCase) (string, error) {
	var certs []*x509.Certificate
	for rest := []byte(c.Chain); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return "", err
		}
		certs = append(certs, cert)
	}
	block, _ := pem.Decode([]byte(c.Key))
	if block == nil {
		return "", errors.New("no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	signer, err := signature.NewLocalSigner(certs, key.(crypto.PrivateKey))
	if err != nil {
		return "", err
	}
	envelope, err := signature.NewEnvelope(c.Sign)
	if err != nil {
		return "", err
	}
	request := &signature.SignRequest{
		Payload: signature.Payload{ContentType: "application/vnd.cncf.notary.payload.v1+json",
			Content: []byte(c.Payload)},
		Signer: signer, SigningTime: time.Now(), SigningScheme: signature.SigningScheme(c.Scheme),
		SigningAgent: "oracle"}
	if c.Expiry != 0 {
		request.Expiry = time.Now().Add(time.Duration(c.Expiry) * time.Second)
	}
	signed, err := envelope.Sign(request)
	return base64.StdEncoding.EncodeToString(signed), err
}

func answer(line []byte) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("refused: panic: %v", r)
		}
	}()
	var c testCase
	err := json.Unmarshal(line, &c)
	if err == nil && c.Sign != "" {
		text, err = sign(&c)
	} else if err == nil {
		text, err = check(&c)
	}
	if err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return text
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		fmt.Println(answer(in.Bytes()))
	}
}
