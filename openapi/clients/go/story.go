// From an account to a cancelled booking, with the client of OpenAPI Generator and the standard library. LIVE_URL names
// the api.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"punctual.example/story/punctual"
)

const password = "correct horse battery staple"

func step(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }

func check(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "not so: "+what)
		os.Exit(1)
	}
}

// ok is what was answered; a problem ends the story.
func ok[T any](value T, _ *http.Response, err error) T {
	if err != nil {
		told := err.Error()
		var answer *punctual.GenericOpenAPIError
		if errors.As(err, &answer) {
			told += " " + string(answer.Body())
		}
		check(false, told)
	}
	return value
}

// problem is the problem of an answer that is no success.
func problem[T any](_ T, _ *http.Response, err error) punctual.Problem {
	var answer *punctual.GenericOpenAPIError
	check(errors.As(err, &answer), "a problem was expected")
	is, typed := answer.Model().(punctual.Problem)
	check(typed, "a typed problem was expected: "+string(answer.Body()))
	return is
}

// random is a UUID of version 4.
func random() string {
	id := make([]byte, 16)
	_, err := rand.Read(id)
	check(err == nil, "random bytes can be had")
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func main() {
	configuration := punctual.NewConfiguration()
	configuration.Servers = punctual.ServerConfigurations{{URL: os.Getenv("LIVE_URL")}}
	api := punctual.NewAPIClient(configuration)
	guest := context.Background()

	// register and log in
	email := "ada-" + random() + "@example.org"
	account := ok(api.AuthAPI.Register(guest).Registration(*punctual.NewRegistration(email, "Ada Lovelace", password)).Execute())
	wrong := problem(api.AuthAPI.Login(guest).Credentials(*punctual.NewCredentials(email, "not the password")).Execute())
	check(wrong.Code == punctual.PROBLEMCODE_INVALID_CREDENTIALS, "a wrong password is refused")
	session := ok(api.AuthAPI.Login(guest).Credentials(*punctual.NewCredentials(email, password)).Execute())
	me := context.WithValue(guest, punctual.ContextAccessToken, session.AccessToken)
	check(ok(api.MeAPI.GetMe(me).Execute()).Id == account.Id, "the account is the one that was made")
	step("registered as a %s", session.Role)

	// free slots of the next week
	service := ok(api.CatalogueAPI.ListServices(me).Execute()).Data[0]
	tomorrow := time.Now().AddDate(0, 0, 1)
	day := func(days int) string { return tomorrow.AddDate(0, 0, days).Format("2006-01-02") }
	listed := ok(api.SlotsAPI.ListSlots(me).ServiceId(service.Id).From(day(0)).To(day(6)).Execute())
	var slots []punctual.Slot
	for _, day := range listed.Days {
		slots = append(slots, day.Slots...)
	}
	first, second := slots[0], slots[4]
	step("%d free slots, the first at %s", len(slots), first.Start)

	// book: the same key and body again give the same answer
	wish := punctual.NewBookingRequest()
	wish.SetServiceId(service.Id)
	wish.SetStart(first.Start)
	wish.SetStaffId(first.StaffIds[0])
	book := func(key string) (*punctual.Booking, *http.Response, error) {
		return api.BookingsAPI.CreateBooking(me).IdempotencyKey(key).BookingRequest(*wish).Execute()
	}
	key := random()
	booking := ok(book(key))
	check(booking.Status == punctual.BOOKINGSTATUS_CONFIRMED, "it is confirmed")
	again, answer, err := book(key)
	check(err == nil && again.Id == booking.Id, "the same key gives the same booking")
	check(answer.Header.Get("Idempotency-Replayed") == "true", "the repeated answer says so")
	step("booked %s with %s", booking.Service.Name, booking.Staff.Name)

	// conflict: the slot is taken, others are offered
	taken := problem(book(random()))
	check(taken.Code == punctual.PROBLEMCODE_SLOT_TAKEN && len(taken.Alternatives) == 3, "three others are offered")
	step("taken; free instead: %s and two more", taken.Alternatives[0].Start)

	// move, based on the revision that was read
	move := func(rev int32) (*punctual.Booking, *http.Response, error) {
		request := punctual.NewRescheduleRequest(second.Start)
		call := api.BookingsAPI.RescheduleBooking(me, booking.Id).IfMatch(fmt.Sprintf("%q", fmt.Sprint(rev)))
		return call.RescheduleRequest(*request).Execute()
	}
	moved := ok(move(booking.Rev))
	check(moved.Start.Equal(second.Start), "it is moved")
	check(problem(move(booking.Rev)).Code == punctual.PROBLEMCODE_PRECONDITION_FAILED, "an old revision moves nothing")
	step("moved to %s, revision %d", moved.Start, moved.Rev)

	// cancel; a body that is left out would be sent as null, so an empty one is given
	cancel := api.BookingsAPI.CancelBooking(me, booking.Id).IfMatch(fmt.Sprintf("%q", fmt.Sprint(moved.Rev)))
	cancelled := ok(cancel.StaffMessage(*punctual.NewStaffMessage()).Execute())
	check(cancelled.Status == punctual.BOOKINGSTATUS_CANCELLED, "it is cancelled")
	step("cancelled")

	// list, a page at a time
	ok(book(random()))
	ids := map[string]bool{}
	for call := api.BookingsAPI.ListBookings(me).Limit(1); ; {
		page := ok(call.Execute())
		for _, booking := range page.Data {
			ids[booking.Id] = true
		}
		if page.NextCursor == nil {
			break
		}
		call = call.Cursor(*page.NextCursor)
	}
	check(len(ids) == 2, "two bookings are listed")
	step("listed 2 bookings on 2 pages")

	// errors are typed values
	bad := problem(api.AuthAPI.Register(guest).Registration(*punctual.NewRegistration("nobody", "", "short")).Execute())
	check(bad.Code == punctual.PROBLEMCODE_INVALID_REQUEST && len(bad.Errors) == 3, "each fault is named")
	absent := problem(api.BookingsAPI.GetBooking(me, random()).Execute())
	check(absent.Code == punctual.PROBLEMCODE_NOT_FOUND, "what is not there is not found")
	var pointers []string
	for _, fault := range bad.Errors {
		pointers = append(pointers, fault.Pointer+" "+fault.Code)
	}
	step("errors: %s; %s", strings.Join(pointers, ", "), absent.Code)
}
