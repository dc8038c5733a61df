"""What analysts ask of a whole district: who is enrolled where, cohorts, and what another rule would have said.

The law here: nothing is written but studies and releases, and whoever may not see learners gets only what
`suppression` lets through.
"""
