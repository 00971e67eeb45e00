// The real verifier of sigstore's signatures, asked as source-controller asks it: a case a line on
// standard input, a verdict a line on standard output.
package main

import (
	"bufio"
	"context"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	cbundle "github.com/sigstore/cosign/v3/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v3/pkg/oci/static"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

type identity struct{ Issuer, Subject string }

type testCase struct {
	Root       string
	Digest     string
	Identities []identity
	Bundle     string // of the new format; empty: of a "*.sig" tag
	Payload    string
	Signature  string // base64
	Cert       string
	Chain      string
	LogEntry   string // the annotation dev.sigstore.cosign/bundle
	Key        string // PEM; then nothing but it is trusted
}

func verifyBundle(c *testCase, co *cosign.CheckOpts) error {
	var b bundle.Bundle
	if err := b.UnmarshalJSON([]byte(c.Bundle)); err != nil {
		return err
	}
	algorithm, text, _ := strings.Cut(c.Digest, ":")
	digest, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	policy := verify.WithArtifactDigest(algorithm, digest)
	if _, err := cosign.VerifyNewBundle(context.Background(), co, policy, &b); err != nil {
		return err
	}
	if _, ok := b.Content.(*protobundle.Bundle_DsseEnvelope); !ok {
		return errors.New("no DSSE envelope")
	}
	return nil
}

func verifyTag(c *testCase, co *cosign.CheckOpts) error {
	hash, err := v1.NewHash(c.Digest)
	if err != nil {
		return err
	}
	var parts []static.Option
	if c.Cert != "" {
		parts = append(parts, static.WithCertChain([]byte(c.Cert), []byte(c.Chain)))
	}
	if c.LogEntry != "" {
		var entry cbundle.RekorBundle
		if err := json.Unmarshal([]byte(c.LogEntry), &entry); err != nil {
			return err
		}
		parts = append(parts, static.WithBundle(&entry))
	}
	signed, err := static.NewSignature([]byte(c.Payload), c.Signature, parts...)
	if err != nil {
		return err
	}
	// What source-controller leaves out: that the payload names the image.
	co.ClaimVerifier = cosign.SimpleClaimVerifier
	co.Offline = true
	_, err = cosign.VerifyImageSignature(context.Background(), signed, hash, co)
	return err
}

// What is trusted: a key, or a root with identities.
func options(c *testCase) (*cosign.CheckOpts, error) {
	if c.Key != "" {
		key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(c.Key))
		if err != nil {
			return nil, err
		}
		verifier, err := signature.LoadVerifier(key, crypto.SHA256)
		return &cosign.CheckOpts{SigVerifier: verifier, IgnoreTlog: true, Offline: true}, err
	}
	trusted, err := root.NewTrustedRootFromJSON([]byte(c.Root))
	if err != nil {
		return nil, err
	}
	co := &cosign.CheckOpts{TrustedMaterial: trusted}
	for _, i := range c.Identities {
		co.Identities = append(co.Identities,
			cosign.Identity{IssuerRegExp: i.Issuer, SubjectRegExp: i.Subject})
	}
	return co, nil
}

func check(line []byte) error {
	var c testCase
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	co, err := options(&c)
	if err != nil {
		return err
	}
	if c.Bundle != "" {
		return verifyBundle(&c, co)
	}
	return verifyTag(&c, co)
}

func verdict(line []byte) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("refused: panic: %v", r)
		}
	}()
	if err := check(line); err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return "good"
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		fmt.Println(verdict(in.Bytes()))
	}
}
