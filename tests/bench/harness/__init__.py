# SPDX-License-Identifier: GPL-2.0-only
"""What scripts/bench is made of: topologies, the systems compared, the loads, the report."""
