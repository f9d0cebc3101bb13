import example.punctual.ApiClient;
import example.punctual.ApiException;
import example.punctual.ApiResponse;
import example.punctual.api.AuthApi;
import example.punctual.api.BookingsApi;
import example.punctual.api.CatalogueApi;
import example.punctual.api.MeApi;
import example.punctual.api.SlotsApi;
import example.punctual.model.Booking;
import example.punctual.model.BookingPage;
import example.punctual.model.BookingRequest;
import example.punctual.model.BookingStatus;
import example.punctual.model.Credentials;
import example.punctual.model.Day;
import example.punctual.model.Problem;
import example.punctual.model.ProblemCode;
import example.punctual.model.Registration;
import example.punctual.model.RescheduleRequest;
import example.punctual.model.Slot;
import example.punctual.model.StaffMessage;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** From an account to a cancelled booking, with the client of OpenAPI Generator. LIVE_URL names the api. */
public final class Story {
    private static final String PASSWORD = "correct horse battery staple";

    /** A call that is to fail. */
    private interface Call {
        Object run() throws ApiException;
    }

    public static void main(String[] arguments) throws Exception {
        var client = new ApiClient();
        client.updateBaseUri(System.getenv("LIVE_URL"));
        var auth = new AuthApi(client);

        // register and log in
        var email = "ada-" + UUID.randomUUID() + "@example.org";
        var account = auth.register(new Registration().email(email).name("Ada Lovelace").password(PASSWORD));
        var wrong = problem(client, () -> auth.login(new Credentials().email(email).password("not the password")));
        check(wrong.getCode() == ProblemCode.INVALID_CREDENTIALS, "a wrong password is refused");
        var session = auth.login(new Credentials().email(email).password(PASSWORD));
        client.setRequestInterceptor(
                request -> request.header("Authorization", "Bearer " + session.getAccessToken()));
        check(new MeApi(client).getMe().getId().equals(account.getId()), "the account is the one that was made");
        step("registered as a %s", session.getRole());

        // free slots of the next week
        var service = new CatalogueApi(client).listServices(null).getData().get(0);
        var tomorrow = LocalDate.now(ZoneOffset.UTC).plusDays(1);
        var listed = new SlotsApi(client).listSlots(service.getId(), tomorrow, tomorrow.plusDays(6), null, null, null, null);
        List<Slot> slots = new ArrayList<>();
        for (Day day : listed.getDays()) {
            slots.addAll(day.getSlots());
        }
        var first = slots.get(0);
        var second = slots.get(4);
        step("%d free slots, the first at %s", slots.size(), first.getStart());

        // book: the same key and body again give the same answer
        var bookings = new BookingsApi(client);
        var wish = new BookingRequest()
                .serviceId(service.getId())
                .start(first.getStart())
                .staffId(first.getStaffIds().iterator().next());
        var key = UUID.randomUUID().toString();
        Booking booking = bookings.createBooking(key, wish);
        check(booking.getStatus() == BookingStatus.CONFIRMED, "it is confirmed");
        ApiResponse<Booking> again = bookings.createBookingWithHttpInfo(key, wish);
        check(again.getData().getId().equals(booking.getId()), "the same key gives the same booking");
        check(again.getHeaders().containsKey("idempotency-replayed"), "the repeated answer says so");
        step("booked %s with %s", booking.getService().getName(), booking.getStaff().getName());

        // conflict: the slot is taken, others are offered
        var taken = problem(client, () -> bookings.createBooking(UUID.randomUUID().toString(), wish));
        check(taken.getCode() == ProblemCode.SLOT_TAKEN, "the slot is taken");
        check(taken.getAlternatives().size() == 3, "three others are offered");
        step("taken; free instead: %s and two more", taken.getAlternatives().get(0).getStart());

        // move, based on the revision that was read
        var move = new RescheduleRequest().start(second.getStart());
        var moved = bookings.rescheduleBooking(booking.getId(), tag(booking.getRev()), move);
        check(moved.getStart().isEqual(second.getStart()), "it is moved");
        var stale = problem(
                client, () -> bookings.rescheduleBooking(booking.getId(), tag(booking.getRev()), move));
        check(stale.getCode() == ProblemCode.PRECONDITION_FAILED, "an old revision moves nothing");
        step("moved to %s, revision %d", moved.getStart(), moved.getRev());

        // cancel; a body that is left out would be sent as null, so an empty one is given
        var cancelled = bookings.cancelBooking(booking.getId(), tag(moved.getRev()), new StaffMessage());
        check(cancelled.getStatus() == BookingStatus.CANCELLED, "it is cancelled");
        step("cancelled");

        // list, a page at a time
        bookings.createBooking(UUID.randomUUID().toString(), wish);
        Set<UUID> ids = new HashSet<>();
        String cursor = null;
        do {
            BookingPage page = bookings.listBookings(null, null, null, null, null, null, null, null, null, 1L, cursor);
            page.getData().forEach(listedBooking -> ids.add(listedBooking.getId()));
            cursor = page.getNextCursor();
        } while (cursor != null);
        check(ids.size() == 2, "two bookings are listed");
        step("listed 2 bookings on 2 pages");

        // errors are typed values
        var bad = problem(client, () -> auth.register(new Registration().email("nobody").name("").password("short")));
        check(bad.getCode() == ProblemCode.INVALID_REQUEST, "a bad request is refused");
        check(bad.getErrors().size() == 3, "each fault is named");
        var absent = problem(client, () -> bookings.getBooking(UUID.randomUUID()));
        check(absent.getCode() == ProblemCode.NOT_FOUND, "what is not there is not found");
        step("errors: %s; %s", bad.getErrors().get(0).getPointer(), absent.getCode());
    }

    private static String tag(int rev) {
        return "\"" + rev + "\"";
    }

    /** The problem of a call that is to fail. */
    private static Problem problem(ApiClient client, Call call) throws Exception {
        try {
            call.run();
        } catch (ApiException refused) {
            return client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
        }
        throw new IllegalStateException("not so: a problem was expected");
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not so: " + what);
        }
    }

    private static void step(String format, Object... values) {
        System.out.println("  " + String.format(format, values));
    }
}
