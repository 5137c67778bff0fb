// The names of <ankerl/unordered_dense.h> that the mediasoup worker uses, on the standard containers.
//
// Slower than the real one (one allocation per element) and iterated in another order, on which the
// worker does not rely; references and iterators stay valid longer here, never shorter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
// Some of the worker's files get these two through this header.
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>

namespace ankerl::unordered_dense
{
	// The standard hash of a number is the number itself. The worker combines hashes on the
	// assumption that their bits are mixed, so numbers and addresses are mixed here (splitmix64).
	inline std::size_t mixBits(std::uint64_t bits) noexcept
	{
		bits += 0x9e3779b97f4a7c15u;
		bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
		bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;

		return static_cast<std::size_t>(bits ^ (bits >> 31));
	}

	template<typename Value, typename Enable = void>
	struct hash : std::hash<Value>
	{
	};

	template<typename Value>
	struct hash<Value, std::enable_if_t<std::is_integral_v<Value> || std::is_enum_v<Value>>>
	{
		std::size_t operator()(Value value) const noexcept
		{
			return mixBits(static_cast<std::uint64_t>(value));
		}
	};

	template<typename Value>
	struct hash<Value*, void>
	{
		std::size_t operator()(const Value* address) const noexcept
		{
			return mixBits(reinterpret_cast<std::uintptr_t>(address));
		}
	};

	template<typename Key, typename Value, typename Hash = hash<Key>, typename Equal = std::equal_to<Key>>
	using map = std::unordered_map<Key, Value, Hash, Equal>;

	template<typename Key, typename Hash = hash<Key>, typename Equal = std::equal_to<Key>>
	using set = std::unordered_set<Key, Hash, Equal>;
} // namespace ankerl::unordered_dense
