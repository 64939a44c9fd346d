#pragma once
/// The link thread: everything between this device and hawkBit. It polls, offers deployments to the worker, and carries
/// results and progress back.
///
/// It decides nothing about apps. Results come from the outbox, so a lost connection or a reboot never changes one.
/// Polling goes on while the worker works. Nothing here touches the disk but the outbox.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "agent/config.h"
#include "agent/deployment.h"
#include "agent/journal.h"
#include "agent/link/schedule.h"
#include "agent/status.h"
#include "common/queue.h"
#include "hawkbit/ddi/client.h"

namespace davit {

/// A deployment that the server offers; `refused` says why it cannot even begin.
struct Offer {
    Deployment deployment;
    std::optional<Error> refused;
};

// What other threads tell the link.
struct CheckNow {};  ///< somebody at the device wants a poll now
struct ProgressMessage {
    std::string deployment_id;
    std::string text;
    bool waits = false;  ///< the deployment does nothing until the server, or somebody here, says so
};
struct ConfirmedHere {};  ///< a yes is in the outbox
struct ResultReady {
    std::string deployment_id;
    bool denied = false;
};  ///< a result is in the outbox; or the server knows it: what was denied is offered on and on
struct Attributes {
    std::map<std::string, std::string> values;
};
using LinkEvent = std::variant<CheckNow, ProgressMessage, ConfirmedHere, ResultReady, Attributes>;

class Link {
public:
    struct Outputs {
        std::function<void(Offer)> offer;          ///< called on the link thread; must not block
        std::function<void(ServerStatus)> status;  ///< likewise
        /// Wants a deployment stopped; false: too late. Likewise; see Cancellation::request.
        std::function<bool(const std::string& deployment_id)> cancel;
        /// The server's terms for the deployment under way may have changed. Likewise.
        std::function<void(const std::string& deployment_id, Terms)> terms;
        /// Attributes that change by themselves (an app that keeps crashing); asked for at polls. Likewise; may be
        /// empty.
        std::function<std::map<std::string, std::string>()> conditions = {};
    };

    /// Makes what sends this device's requests; see HttpProcess.
    using Senders = std::function<std::unique_ptr<http::Sender>(http::Options)>;

    /// @param under_way the server's deployment that the worker is resuming, if any: it is not offered again
    Link(Config::Hawkbit config, Outbox outbox, Queue<LinkEvent>& events, Outputs outputs, Senders senders,
         Clock& clock, std::optional<std::string> under_way);

    /// Runs until @p stop; a request under way is waited for (at most Config::Hawkbit::timeout). What was not delivered
    /// stays in the outbox.
    void run(std::stop_token stop);

private:
    Result<void> connect();
    void deliver();
    Result<void> send_result(const Outbox::Item& item);
    bool is_refused_for_good(const Outbox::Item& item, const Error& error);
    void send_progress();
    void gather_progress(const ProgressMessage& message);
    Result<Milliseconds> poll();
    void answer_cancel(const std::string& url);
    void notice_what_is_offered(const ddi::Poll& answer);
    void take(const std::string& url, bool to_confirm);
    void offer(const ddi::Deployment& offered, bool to_confirm);
    void read_terms_again(const std::string& url);
    void not_readable(const std::string& id, const Error& error);
    void send_attributes(bool wanted);
    void take_events(Milliseconds at_most, std::stop_token stop);
    void handle(LinkEvent event);
    void report_status(Milliseconds until_next_poll, const std::optional<Error>& error);

    Config::Hawkbit config_;
    Outbox outbox_;
    Queue<LinkEvent>& events_;
    Outputs outputs_;
    Senders senders_;
    Clock& clock_;
    Schedule schedule_;
    std::optional<ddi::Client> client_;

    std::optional<std::string> under_way_;  ///< offered and not finished
    struct Progress {
        std::string id;
        std::vector<std::string> details;
    };
    Progress progress_;                                  ///< not sent yet
    MonotonicTime progress_due_ = MonotonicTime::max();  ///< max: nothing waits
    int progress_sent_ = 0;                              ///< statuses of the deployment under way: hawkBit counts them
    std::map<std::string, std::string> attributes_, attributes_sent_;
    bool waits_ = false;            ///< the deployment under way does
    bool asks_ = false;             ///< the server waits for a yes to it, and takes no progress until then
    std::string confirmed_there_;   ///< an id that needs no yes of ours any more: the operator gave it
    std::string read_url_;          ///< its link, as it was when its terms were read
    bool is_missing_ = false;       ///< the last poll offered nothing, though something is under way
    std::string given_up_;          ///< an id that the server no longer offers, so that it is said once
    std::string denied_;            ///< an id that the server goes on asking about
    std::string unreadable_;        ///< an id whose content could not be read …
    int unreadable_times_ = 0;      ///< … so many times now
    std::string refused_cancel_;    ///< the id whose cancel was refused, so that it is said once
    std::int64_t refused_row_ = 0;  ///< of the outbox: the server refuses this result …
    int refusals_ = 0;              ///< … so many times now
    bool check_now_ = false;
    bool has_news_ = false;    ///< a result: the server may have the next deployment waiting
    std::string last_result_;  ///< whose it was
    bool outbox_may_have_more_ = true;
    std::int64_t last_contact_ms_ = 0;
    std::string last_error_;
};

}  // namespace davit
