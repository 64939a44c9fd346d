#include "common/http_client.h"

#include <curl/curl.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <format>

#include "common/clock.h"
#include "common/text.h"

namespace davit::http {

namespace {

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// @p url as messages show it: without user info, query and fragment, where secrets may be.
std::string shown(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto scheme = url.find("://");
    const auto start = scheme == url.npos ? 0 : scheme + 3;
    const auto host = url.substr(start);
    const auto at = host.substr(0, host.find('/')).rfind('@');
    return one_line(std::format("{}{}", url.substr(0, start), at == host.npos ? host : host.substr(at + 1)));
}

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    std::string result(text);
    curl_free(text);
    return result;
}

/// What arrives during one transfer.
struct Transfer {
    Response response;
    std::size_t max_body;
    bool too_large = false;

    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        transfer.too_large = transfer.response.body.size() + size * count > transfer.max_body;
        if (transfer.too_large) return CURL_WRITEFUNC_ERROR;
        transfer.response.body.append(data, size * count);
        return size * count;
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
        auto& headers = static_cast<Transfer*>(self)->response.headers;
        const std::string_view line(data, size * count);
        if (line.starts_with("HTTP/")) headers.clear();  // the answer after a "100 Continue"
        const auto colon = line.find(':');
        if (colon != line.npos) headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
        return size * count;
    }
};

}  // namespace

struct Client::Handle {
    Handle() {
        static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (once == CURLE_OK) easy = curl_easy_init();
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { curl_easy_cleanup(easy); }

    template <typename T>
    void set(CURLoption option, T value) {
        curl_easy_setopt(easy, option, value);
    }
    void set_limits(const Options& options, const Request& request);
    void set_request(const Request& request, curl_slist* headers);
    Error explain(CURLcode code, const Options& options) const;

    CURL* easy = nullptr;
    std::array<char, CURL_ERROR_SIZE> detail{};
};

void Client::Handle::set_limits(const Options& options, const Request& request) {
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    const auto timeout = [](Milliseconds time) {
        return static_cast<long>(std::max(time, Milliseconds(1)).count());  // 0 would mean none
    };
    set(CURLOPT_CONNECTTIMEOUT_MS, timeout(options.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, timeout(request.timeout.value_or(options.total_timeout)));
    set(CURLOPT_USERAGENT, options.user_agent.c_str());
    if (options.ca_file) {
        set(CURLOPT_CAINFO, options.ca_file->c_str());
        // Instead of the system's authorities, not besides them.
        set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    detail[0] = '\0';
    set(CURLOPT_ERRORBUFFER, detail.data());
}

void Client::Handle::set_request(const Request& request, curl_slist* headers) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_HTTPHEADER, headers);
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// What to do about a certificate in the two commonest cases: a server with an authority of its own, which nobody named
/// yet, and a device that does not know the time.
std::string trust_hint(std::string_view said, const Options& options) {
    if (said.contains("not yet valid") || said.contains("expired"))
        return "; the clock of this device says " + iso_time(system_clock().wall_ms());
    const bool unknown = said.contains("self-signed") || said.contains("issuer");
    return unknown && !options.ca_file ? "; an authority of your own is named with ca_file" : "";
}

/// The cause in words that a person can act on.
Error Client::Handle::explain(CURLcode code, const Options& options) const {
    std::string said = detail[0] ? one_line(detail.data()) : curl_easy_strerror(code);
    if (constexpr std::string_view kPrefix = "SSL certificate problem: "; said.starts_with(kPrefix))
        said.erase(0, kPrefix.size());
    switch (code) {
        case CURLE_URL_MALFORMAT:
            return {Code::InvalidInput, "not a valid URL"};
        case CURLE_SSL_CACERT_BADFILE:
            return {Code::InvalidInput,
                    std::format("cannot use CA file '{}'", options.ca_file.value_or("of the system"))};
        case CURLE_COULDNT_RESOLVE_HOST:
            return {Code::Network, "could not resolve the host name"};
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {Code::Network, "could not resolve the proxy's name"};
        case CURLE_COULDNT_CONNECT: {
            long error_number = 0;
            curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error_number);
            if (error_number == ECONNREFUSED) return {Code::Network, "connection refused"};
            return {Code::Network, "could not connect: " + said};
        }
        case CURLE_OPERATION_TIMEDOUT: {
            curl_off_t microseconds = 0;
            curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
            return {Code::Network, "timed out after " + in_seconds(Milliseconds(microseconds / 100'000 * 100))};
        }
        case CURLE_PEER_FAILED_VERIFICATION:
            return {Code::Network, std::format("certificate is not trusted ({}){}", said, trust_hint(said, options))};
        case CURLE_SSL_CONNECT_ERROR:
            return {Code::Network, std::format("no TLS connection ({})", said)};
        case CURLE_GOT_NOTHING:
            return {Code::Network, "the server closed the connection without an answer"};
        case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9, that is anything without a status line
        case CURLE_WEIRD_SERVER_REPLY:
            return {Code::Network, "the server does not speak HTTP"};
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
            return {Code::Network, std::format("the connection broke ({})", said)};
        default:
            return {Code::Network, said};
    }
}

Client::Client(Options options) : handle_(std::make_unique<Handle>()), options_(std::move(options)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Response> Client::send(const Request& request) {
    const auto what = std::format("{} {}", one_line(request.method), shown(request.url));
    if (!handle_->easy) return fail(Code::System, "cannot initialize libcurl");
    if (origin(request.url).empty()) return fail(Code::InvalidInput, what + ": not a valid http or https URL");

    List headers(curl_slist_append(nullptr, "Expect:"));  // no extra round trip before a body
    for (const auto& header : request.headers) {
        if (header.find_first_of("\r\n") != header.npos)
            return fail(Code::InvalidInput, what + ": a header contains a line break");
        headers.reset(curl_slist_append(headers.release(), header.c_str()));
    }
    Transfer transfer{.response = {}, .max_body = options_.max_body};
    curl_easy_reset(handle_->easy);  // options only: the connection stays
    handle_->set_limits(options_, request);
    handle_->set_request(request, headers.get());
    handle_->set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    handle_->set(CURLOPT_WRITEDATA, &transfer);
    handle_->set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    handle_->set(CURLOPT_HEADERDATA, &transfer);

    const CURLcode code = curl_easy_perform(handle_->easy);
    if (transfer.too_large)
        return fail(Code::InvalidInput, std::format("{}: the answer is larger than {} bytes", what, options_.max_body));
    if (code != CURLE_OK) return fail(handle_->explain(code, options_).in(what));
    long status = 0;
    curl_easy_getinfo(handle_->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    return std::move(transfer.response);
}

std::string origin(std::string_view url) {
    const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK) return {};
    const auto scheme = lower(url_part(parsed.get(), CURLUPART_SCHEME));
    if (scheme != "http" && scheme != "https") return {};
    const auto port = url_part(parsed.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    return std::format("{}://{}{}{}", scheme, lower(url_part(parsed.get(), CURLUPART_HOST)), port.empty() ? "" : ":",
                       port);
}

}  // namespace davit::http
