// Verifies the sample delivery, and refuses it once anything of it has changed.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"time"
)

type sample struct {
	Secret         string            `json:"secret"`
	PreviousSecret string            `json:"previous_secret"`
	Headers        map[string]string `json:"headers"`
	Body           string            `json:"body"`
}

func must(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func main() {
	text, err := os.ReadFile("../delivery.json")
	must(err == nil, "no sample")
	var given sample
	must(json.Unmarshal(text, &given) == nil, "a broken sample")
	header := func(name, value string) http.Header {
		header := http.Header{}
		for name, value := range given.Headers {
			header.Set(name, value)
		}
		if name != "" {
			header.Set(name, value)
		}
		return header
	}
	seconds, err := strconv.ParseInt(given.Headers["webhook-timestamp"], 10, 64)
	must(err == nil, "a broken timestamp")
	sent, body := time.Unix(seconds, 0), []byte(given.Body)
	soon := sent.Add(2 * time.Second)
	must(Verify(given.Secret, header("", ""), body, soon) == nil, "the secret")
	must(Verify(given.PreviousSecret, header("", ""), body, soon) == nil, "the secret before")
	other := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	must(Verify(other, header("", ""), body, soon) != nil, "another secret")
	changed := bytes.Replace(body, []byte("confirmed"), []byte("cancelled"), 1)
	must(Verify(given.Secret, header("", ""), changed, soon) != nil, "another body")
	must(Verify(given.Secret, header("webhook-id", "evt_1290"), body, soon) != nil, "another id")
	must(Verify(given.Secret, header("", ""), body, sent.Add(6*time.Minute)) != nil, "an old request")
}
