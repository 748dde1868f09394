# Rules for Terraform's plans, as teams have them; they read a plan of descope-mgmt as it is.
#
#   opa eval --format raw --data deny.rego --input plan.json 'data.terraform.deny'
package terraform

# Addresses that must stay as they are.
protected := {"tenant/acme-corp"}

# How many objects one change may touch.
most := 20

deny contains msg if {
	some change in input.resource_changes
	"delete" in change.change.actions
	msg := sprintf("%s would be deleted", [change.address])
}

deny contains msg if {
	some change in input.resource_changes
	change.address in protected
	some action in change.change.actions
	not action in {"no-op", "read"}
	msg := sprintf("%s is protected", [change.address])
}

deny contains msg if {
	touched := count([change | some change in input.resource_changes; change.change.actions != ["no-op"]])
	touched > most
	msg := sprintf("%d objects would change, and at most %d may", [touched, most])
}
