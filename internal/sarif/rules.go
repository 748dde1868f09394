package sarif

// Rule is a kind of finding.
type Rule struct {
	// ID is the code of the diagnostic or the rule of the lint. A last "*" stands for
	// any end.
	ID string
	// Text says in one sentence what is wrong, Help what to do about it.
	Text, Help string
	// Warning: its findings are warnings, unless they say otherwise.
	Warning bool
}

// rule is an error, warning one that is none.
func rule(id, text, help string) Rule { return Rule{ID: id, Text: text, Help: help} }

func warning(id, text, help string) Rule { return Rule{ID: id, Text: text, Help: help, Warning: true} }

// ConfigurationRules are the codes of mistakes in a configuration.
func ConfigurationRules() []Rule {
	return append(append(languageRules(), tenantRules()...), yamlRules()...)
}

func languageRules() []Rule {
	return []Rule{
		rule("syntax", "The file cannot be read as CUE, YAML or JSON.", "Mend what stands at the place that is named; descope-mgmt fmt shows more of it."),
		rule("not-utf8", "The file is not UTF-8.", "Save it as UTF-8."),
		rule("unreadable", "The file cannot be read.", "Look at its permissions, and whether it is there."),
		rule("not-a-file", "What should be a file is something else.", "Give the directory or link another name, or take it away."),
		rule("too-large", "The file is larger than what is read.", "Split the file."),
		rule("beyond-limits", "The file is nested too deep or its values are too long to be read safely.", "Write it in smaller parts."),
		rule("load", "The configuration cannot be loaded.", "Look at the imports and the module in cue.mod/module.cue."),
		rule("internal", "Something went wrong inside descope-mgmt.", "Please report it, with the configuration if you can."),
		rule("interrupted", "The evaluation was interrupted.", "Run the command again."),
		rule("eval", "An expression cannot be evaluated.", "Look at what it refers to."),
		rule("expr", "The expression of --expr cannot be evaluated.", "Write an expression of CUE on the fields that descope-mgmt eval shows."),
		rule("fmt", "The file cannot be formatted.", "Mend its syntax first."),
		rule("no-package", "The file has no package clause.", "Write the package of its neighbours into its first line."),
		rule("wrong-package", "The file is of another package than its neighbours, so that CUE would leave it out.", "Give it the package of the files in envs/."),
		rule("unknown-import", "The imported package is not there.", "Look at the path, and at the name in cue.mod/module.cue."),
		rule("missing-import", "A package is used that the file does not import.", "Import it in this file."),
		rule("unused-*", "A name is declared or imported, and never used.", "Use it, or take it out."),
		rule("undefined", "A value refers to something that is not there.", "Look at the spelling, and at the environment that lacks it."),
		rule("embedded", "A definition stands at the top of a file, which opens the whole configuration to misspelt fields.", "Write the fields one by one: tenants: schema.#Tenants."),
		rule("embed-without-extern", "A file embeds others without saying so in its first line, and CUE embeds nothing then.", "Write @extern(embed) above the package clause."),
		rule("embed-outside", "A file is embedded through a link that leads out of the module.", "Put the file itself into the module."),
		rule("changed-key", "A key has another spelling for CUE than in the file.", "Write it as CUE does, or in parentheses."),
		rule("endless", "A value contains itself without end.", "Make the field optional, or break the circle."),
		rule("invalid", "The value is not valid.", "Look at what the schema allows there: docs/configuration.md."),
		rule("conflicting-values", "Two values of one field contradict each other.", "Keep one of them, or make that of the base a default."),
		rule("needs-default", "An overlay changes a value that the base does not give as a default.", "Write it in the base as *value | type."),
		rule("needs-null", "An overlay takes away what the base does not let go.", "Add | null to the value in the base."),
		rule("two-defaults", "A value has two defaults.", "Keep defaults in the base, and write the value itself in the overlay."),
		rule("no-value", "A field has a type but no value.", "Write a value for it in this environment."),
		rule("wrong-value", "The value is not one of those that are allowed.", "See docs/configuration.md for the field."),
		rule("missing-field", "A field that must be there is missing.", "Write it."),
		rule("unknown-field", "There is no such field.", "Look at the spelling; docs/configuration.md has all fields."),
		rule("closed-definition", "A definition does not allow the field.", "Add it to the definition, or take it out."),
		rule("not-allowed", "The field is not allowed here.", "Take it out, or move it to where it belongs."),
		rule("unknown-address", "There is no object or field of that address.", "descope-mgmt eval shows what there is."),
		rule("unknown-environment", "There is no such environment.", "descope-mgmt env list shows which there are."),
		warning("written-twice", "The same is written twice in one directory.", "Keep one of them."),
		warning("schema-copy", "The copy of the schema in schema/ is not the one of this descope-mgmt.", "Write it anew, so that editors see what counts."),
		rule("accepted-drift", "The record of accepted drift cannot be read.", "Mend it, or decide again with descope-mgmt drift --resolve."),
	}
}

func tenantRules() []Rule {
	return []Rule{
		rule("environment-name", "The name of the environment is not that of its directory or cannot be one.", "Give both one name."),
		rule("base-url", "The address of the API may not be used, since it receives the management key.", "Use https below descope.com, or this machine."),
		rule("shared-project", "Two environments have one project.", "Give each environment a project of its own."),
		warning("unchecked-project", "Whether two environments have one project cannot be told.", "Write project_id in both."),
		rule("taken-*", "Two tenants have the same name or domain.", "Change one of them."),
		rule("no-parent", "The parent of a tenant is not there.", "Name the id of a tenant of this configuration."),
		rule("parent-cycle", "A tenant is above itself.", "Leave one of them without a parent."),
		rule("excluded-parent", "The parent of a tenant is not in this environment.", "Leave the child out as well, or take the parent in."),
		rule("too-many-levels", "A tenant is below too many others.", "Move it up."),
		rule("enabled-in", "enabled_in names an environment that is not there.", "Look at the spelling; descope-mgmt env list has the names."),
		rule("enabled-in-overlay", "enabled_in stands in an overlay.", "Write it in the base, which all environments see."),
		rule("ignore", "lifecycle.ignore names a field that is not there.", "Look at the spelling of the field."),
		warning("long-id", "The id is longer than what Descope promises to take.", "Choose a shorter one while the tenant does not exist."),
		warning("no-domains", "Nobody can join a tenant by itself that has no domain.", "Add domains, or set self_provisioning to false."),
		warning("idle-domains", "The domains have no effect, since self_provisioning is false.", "Take them out, or set self_provisioning to true."),
		warning("imported-id", "An imported tenant breaks a rule for ids.", "Nothing can be done: ids cannot change."),
		warning("imported-name", "An imported tenant breaks a rule for names.", "Rename it when you can."),
		warning("imported", "Imported tenants break rules for new ones.", "descope-mgmt validate -v lists them."),
		rule("template-or-definition", "A flow has both a template and a definition, or neither.", "Keep exactly one of them."),
		rule("empty-definition", "The definition of a flow is empty.", "Embed an exported flow, or name a template."),
		warning("manual-step", "A value has to be set by hand in the console.", "Set it there; it is not sent."),
		rule("flow-document", "The definition is no flow.", "Export it again: descope-mgmt flow export."),
		warning("flow-id", "The definition says that it is another flow.", "Rename the key, or leave it if that is meant."),
		rule("flow-screens", "A patch of a screen fits nothing in the flow.", "Look at the names of the screen and its components: descope-mgmt flow show."),
		warning("newer-components", "The flow was saved with newer components than the live version.", "Deploy it after the project has been updated."),
		warning("shared-interaction-removed", "An exit goes on which another flow relies.", "Change the other flow first."),
		warning("unchecked", "A part of the flow cannot be checked without the project.", "descope-mgmt plan looks at the project."),
	}
}

func yamlRules() []Rule {
	return []Rule{
		rule("empty", "The file is empty.", "Write a configuration, or take the file away."),
		rule("wrong-document", "The file is no mapping.", "Begin with version, environments, tenants or flows."),
		rule("many-documents", "The file holds more than one document.", "Keep one."),
		rule("unknown-version", "The version is not known.", "Write version: \"1.0\"."),
		rule("duplicate-key", "A key is written twice.", "Keep one of them."),
		rule("duplicate-id", "An object is written twice.", "Keep one of them."),
		rule("duplicate-file", "An environment has two files.", "Keep one of them."),
		rule("wrong-key", "A key is not text.", "Put it in quotes, or make it text."),
		rule("wrong-number", "The number cannot be kept as it is written.", "Put it in quotes if it is text."),
		rule("wrong-merge", "<< is given something that is no mapping.", "Merge a mapping."),
		rule("unknown-anchor", "There is no such anchor.", "Write the anchor before it is used."),
		rule("unknown-tag", "The tag has no place here.", "Take it out."),
		rule("alias", "A field is written under two names.", "Keep one of them."),
		rule("ignored-key", "The key is of no effect here.", "Take it out."),
		rule("not-managed", "The object or field is not managed by this tool.", "Take it out; what is live stays as it is."),
		rule("literal-key", "A management key stands in the configuration.", "Take it out, make a new key, and name a variable."),
		rule("foreign-key", "The variable of the management key is not one of those that are read.", "Use DESCOPE_MANAGEMENT_KEY, or that of the environment."),
		rule("secret-variable", "A management key would become part of a value.", "Use another variable."),
		rule("unset-variable", "A variable is not set.", "Set it, or give it a default: ${NAME:-default}."),
		rule("variable-syntax", "This is no variable.", "Write ${NAME}, ${NAME:-default}, or $$ for a dollar sign."),
		rule("variable-in-key", "A key holds a variable.", "Write the key as it is."),
		rule("placeholder", "A value is still a placeholder.", "Write the value."),
	}
}

// FlowRules are the rules of the lint of flows.
func FlowRules() []Rule {
	return []Rule{
		rule("dangling-task", "A flow leads to a task that is not there.", "Lead it to a task of the flow, or take the rule out."),
		rule("dangling-screen", "A task shows a screen that is not there.", "Add the screen, or show another one."),
		rule("dangling-interaction", "A rule is about an interaction that the screen does not have.", "Add the interaction, or take the rule out."),
		rule("dangling-node", "An interaction belongs to a component that is not there.", "Take the interaction out."),
		rule("missing-else", "A condition has no branch for all other cases.", "Add the branch else."),
		rule("unset-argument", "A step does not say which connector or flow it runs.", "Choose it in the console, and export the flow again."),
		rule("id-mismatch", "An object has another id than the key that it stands under.", "Export the flow again."),
		rule("duplicate-id", "Two objects have one id.", "Export the flow again."),
		warning("pair-mismatch", "The halves of a pair do not belong together.", "Export the flow again."),
		warning("node-tree", "The components of a screen are no tree.", "Save the screen in the console, and export the flow again."),
		warning("orphan-screen", "No task shows the screen.", "Take it out."),
		warning("unreachable-task", "Nothing leads to the task.", "Take it out, or lead something to it."),
		warning("too-many-tasks", "The flow has more tasks than Descope allows.", "Split it into flows that run each other."),
		warning("stale-shared-interaction", "A shared interaction is not that of any task.", "Export the flow again."),
		warning("other-flow-id", "The file says that it is another flow.", "Rename the file, or leave it if that is meant."),
		warning("local-address", "An address is that of a developer's machine.", "Use the address of the environment."),
		warning("other-environment", "An address is that of another environment.", "Use the address of this environment."),
		warning("unnamed-connector", "An id is that of a connector whose name the file does not tell.", "Export the flow again, so that the names come along."),
		warning("unnamed-role", "An id is that of a role whose name the file does not tell.", "Export the flow again, so that the names come along."),
		warning("unnamed-template", "An id is that of a message template whose name nobody tells.", "Choose the template in the console of each project."),
		rule("unknown-connector", "The project has no such connector.", "Make it in the console, or map it: environment: connectors."),
		rule("ambiguous-connector", "The project has several connectors of that name.", "Rename one of them, or map it: environment: connectors."),
		rule("unknown-role", "The project has no such role.", "Make it in the console."),
		rule("ambiguous-role", "The project has several roles of that name.", "Rename one of them."),
		rule("unknown-attribute", "The project has no such attribute of users.", "Make it in the console."),
		rule("unknown-tenant-attribute", "The project has no such attribute of tenants.", "Make it in the console."),
		warning("unknown-list", "The project has no such list.", "Make it in the console."),
		rule("unknown-asset", "The project has no such asset.", "Upload it in the console."),
		rule("unknown-flow", "There is no such flow.", "Give both files to the command, or deploy the other flow first."),
		rule("unknown-interaction", "The flow that is run has no such exit.", "Take the rule out, or add the exit to the other flow."),
	}
}
