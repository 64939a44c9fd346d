#pragma once
/// hawkBit's device API (DDI v1), typed. No policy: what to do with a deployment is the agent's business.
///
/// Contract: Eclipse hawkBit 0.3 … 1.1, as its servers were observed. Unknown members and unknown enum values never
/// make an answer unreadable unless acting without them would be wrong. Links that the server sends are rebuilt below
/// the configured URL: a token never goes to another host, and a proxy that forwards no headers does no harm.
/// Not thread-safe: owned by the link thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/file.h"
#include "common/http.h"
#include "common/result.h"

namespace davit::ddi {

/// Who we are for the server. Exactly one of the tokens is used; both are read from files, so that they are never on a
/// command line.
struct Credentials {
    enum class Kind { TargetToken, GatewayToken } kind = Kind::TargetToken;
    std::string token;
    /// Reads the token (surrounding white space is cut). Errors: NotFound, InvalidInput (empty, or more than one line).
    static Result<Credentials> read(Kind kind, const Path& file);
};

struct ServerAddress {
    std::string url;  ///< "https://hawkbit.example" (a path prefix is kept)
    std::string tenant = "DEFAULT";
    std::string controller_id;
};

/// One answer of the poll: at most one of the links is set by a server.
struct Poll {
    Milliseconds sleep{300'000};              ///< until the next poll; 5 minutes when the server says nothing readable
    std::optional<std::string> deployment;    ///< URL of deploymentBase
    std::optional<std::string> confirmation;  ///< URL of confirmationBase: a deployment that needs a yes first
    std::optional<std::string> cancel;        ///< URL of cancelAction
    bool wants_attributes = false;            ///< the configData link is there
};

/// The action's id in a link of Poll. Servers change the query of a link whenever the action changes.
std::string action_id(std::string_view url);

/// What this version does not know is Attempt: neither is a user interrupted, nor does the action never end.
enum class Mode { Forced, Attempt, Skip };

struct Metadata {
    std::string key;
    std::string value;
};

struct Artifact {
    std::string filename;
    std::uint64_t size = 0;
    std::string sha256;  ///< empty when the server gives none
    std::string url;     ///< "download" or "download-http"; empty when there is neither
};

/// One software module of the distribution set.
struct Chunk {
    std::string part;  ///< "bApp" is an app, "os" the OS
    std::string name;
    std::string version;
    std::vector<Metadata> metadata;
    std::vector<Artifact> artifacts;
    [[nodiscard]] std::optional<std::string> meta(std::string_view key) const;
};

struct Deployment {
    std::string id;  ///< the action id, opaque
    Mode download = Mode::Forced;
    Mode update = Mode::Forced;
    std::optional<bool> window_open;  ///< set when the action has a maintenance window
    std::vector<Chunk> chunks;
    std::vector<std::string> unknown;  ///< what was taken for `attempt`, in words: "update 'gently'"
};

enum class Execution { Closed, Proceeding, Canceled, Scheduled, Rejected, Resumed, Downloaded, Download };
enum class Finished { Success, Failure, None };

struct Feedback {
    Execution execution = Execution::Proceeding;
    Finished finished = Finished::None;
    std::vector<std::string> details;
    std::int64_t timestamp_ms = 0;  ///< wall clock; 0: the server's own
};

/// What hawkBit accepts: at most 20 details of 512 bytes each (cut at a character's border), '<' as '(', no control
/// characters but newline and tab. Of more than 20 the last are kept, behind a line that says how many are missing.
std::vector<std::string> clean_details(const std::vector<std::string>& details);
/// What hawkBit accepts as an attribute value: 128 characters of its ASCII set; others become '?'.
std::string clean_attribute(std::string_view value);

class Client {
public:
    /// @param http sends the requests
    Client(ServerAddress address, Credentials credentials, std::unique_ptr<http::Sender> http);

    /// Errors everywhere: Unauthorized (401: token, tenant, or target unknown; the message says what to look at),
    /// Network, InvalidInput for an answer that cannot be read (with its path), and as named.
    [[nodiscard]] Result<Poll> poll();
    /// @p url from Poll. Errors: NotFound/Gone: the action is no longer ours.
    [[nodiscard]] Result<Deployment> deployment(const std::string& url);
    /// The same for an action that waits for its confirmation.
    [[nodiscard]] Result<Deployment> confirmation(const std::string& url);
    /// @return the id of the action that shall be canceled
    [[nodiscard]] Result<std::string> cancel(const std::string& url);
    /// Errors: Gone (closed for good), NotFound, Quota, ServerRefused (400: the body; retried once by this call with
    /// minimal details).
    [[nodiscard]] Result<void> feedback(const std::string& action_id, const Feedback& feedback);
    /// Answers a confirmation. A server goes on offering what was denied. Errors: NotFound when the action does not
    /// wait for it (any more), Gone.
    [[nodiscard]] Result<void> confirm(const std::string& action_id, bool yes, const std::string& reason);
    /// Errors: ServerRefused when the action is not being canceled (405).
    [[nodiscard]] Result<void> cancel_feedback(const std::string& action_id, const Feedback& feedback);
    /// PUT configData, mode replace: the device owns its attributes; what it no longer says (a removed app) is gone.
    [[nodiscard]] Result<void> attributes(const std::map<std::string, std::string>& values);

private:
    Result<http::Response> exchange(const http::Request& request);  ///< with our headers; any status
    /// @p response, or the error that its status stands for.
    Result<http::Response> accepted(const http::Request& request, http::Response response) const;
    Result<http::Response> send(const http::Request& request);  ///< exchange, then accepted
    Result<Deployment> read(const std::string& url, std::string_view resource, std::string_view member);
    using Body = std::function<std::string(const std::vector<std::string>& details)>;
    Result<void> post(std::string_view resource, const std::string& action_id, const std::vector<std::string>& details,
                      const Body& body);

    ServerAddress address_;
    Credentials credentials_;
    std::unique_ptr<http::Sender> http_;
};

}  // namespace davit::ddi
