#include "chat/leased_models.h"

#include <utility>

namespace hearth {

std::shared_ptr<LoadedModel> LeasedModels::acquire(const std::string& name, const ModelPool::Waiting& waiting) {
    auto lease = pool_.acquire(name, waiting);
    if (!lease) return nullptr;
    std::shared_ptr<const ChatFront> front;
    {
        const std::lock_guard lock(mutex_);
        const auto known = known_.find(lease->name);
        if (known != known_.end() && known->second.load == lease->load) front = known->second.front;
    }
    if (!front) {
        front = make_front(*lease->model, read_template(lease->preset.chat_template, lease->folder, warning_));
        const std::lock_guard lock(mutex_);
        known_[lease->name] = {.load = lease->load, .front = front};
    }
    return LoadedModel::leased(*std::move(lease), std::move(front));
}

}  // namespace hearth
