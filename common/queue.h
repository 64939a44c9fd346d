#pragma once
/// A typed queue between threads: the only way in which Davit's threads talk.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace davit {

/// Unbounded, many producers, one consumer. Thread-safe.
template <typename T>
class Queue {
public:
    void push(T value) {
        {
            std::lock_guard lock(mutex_);
            values_.push_back(std::move(value));
        }
        changed_.notify_one();
    }

    /// Blocks until there is a value or @p stop is requested (then nullopt).
    std::optional<T> pop(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return !values_.empty(); })) return std::nullopt;
        return take();
    }

    /// Never blocks.
    std::optional<T> try_pop() {
        std::lock_guard lock(mutex_);
        if (values_.empty()) return std::nullopt;
        return take();
    }

    /// Blocks until there is a value, @p stop, or @p duration is over.
    template <typename Duration>
    std::optional<T> pop_for(Duration duration, std::stop_token stop) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, stop, duration, [&] { return !values_.empty(); })) return std::nullopt;
        return take();
    }

private:
    T take() {
        T value = std::move(values_.front());
        values_.pop_front();
        return value;
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<T> values_;
};

}  // namespace davit
