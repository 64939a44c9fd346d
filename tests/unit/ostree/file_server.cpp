#include "tests/unit/ostree/file_server.h"

#include <format>

namespace davit::test {

FileServer::FileServer(Path root)
    : root_(std::move(root)), server_([this](const std::string& request) { return reply(request); }) {}

std::vector<std::string> FileServer::log() const {
    std::lock_guard lock(mutex_);
    return log_;
}

void FileServer::forget() {
    std::lock_guard lock(mutex_);
    log_.clear();
    bytes_ = 0;
}

void FileServer::answer(const std::string& ending, int status) {
    std::lock_guard lock(mutex_);
    statuses_[ending] = status;
}

void FileServer::damage(const std::string& ending) {
    std::lock_guard lock(mutex_);
    damaged_.push_back(ending);
}

void FileServer::behave() {
    std::lock_guard lock(mutex_);
    statuses_.clear();
    damaged_.clear();
    answers_left_ = kUnlimited;
}

LoopbackServer::Reply FileServer::reply(const std::string& request) {
    if (answers_left_ == 0) return {};
    if (answers_left_ != kUnlimited) --answers_left_;
    std::lock_guard lock(mutex_);
    const auto begin = request.find(' ') + 1;
    const auto path = request.substr(begin, request.find(' ', begin) - begin);
    int status = 200;
    auto body = file::read(root_ / Path(path).relative_path(), 256u << 20);
    if (!body) status = 404;
    for (const auto& [ending, wanted] : statuses_)
        if (path.ends_with(ending)) status = wanted;
    if (status == 200)
        for (const auto& ending : damaged_)
            if (path.ends_with(ending)) body->at(body->size() / 2) = static_cast<char>(body->at(body->size() / 2) ^ 1);
    log_.push_back(std::format("{} {}", status, path));
    // One connection at a time: the client's others wait their turn.
    auto answer = LoopbackServer::reply(status, status == 200 ? *body : "", "Connection: close\r\n");
    answer.then = LoopbackServer::Reply::Then::Close;
    bytes_ += answer.bytes.size();
    return answer;
}

}  // namespace davit::test
