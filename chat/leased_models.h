// Models of the pool made ready to chat: a lease and its template.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "chat/loaded_model.h"
#include "loaders/pool/model_pool.h"

namespace hearth {

/// Takes leases for requests. A template is read once for each name and load. Thread-safe; the pool outlives it and all that it gives.
class LeasedModels {
public:
    /// `warning` takes lines for people, such as "no template, using chatml", from any thread; may be empty.
    LeasedModels(ModelPool& pool, std::function<void(const std::string&)> warning) : pool_(pool), warning_(std::move(warning)) {}

    /// As ModelPool::acquire; null when `waiting.gone` said so.
    std::shared_ptr<LoadedModel> acquire(const std::string& name, const ModelPool::Waiting& waiting);

private:
    struct Known {
        int64_t load = 0;
        std::shared_ptr<const ChatFront> front;
    };

    ModelPool& pool_;
    const std::function<void(const std::string&)> warning_;
    std::mutex mutex_;
    std::map<std::string, Known> known_;  // by name
};

}  // namespace hearth
